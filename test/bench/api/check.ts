import { dayOf, monthOf } from '../../../domain/period.ts';
import { openTables } from '../../../tables/open.ts';
import type { BenchmarkContext, Check } from '../support/benchmark.ts';
import type { Answer } from '../support/load.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';
import type { Callers } from './callers.ts';
import { castCents } from './options.ts';

interface Expected {
  /** Answers to those who have room. */
  casts: readonly Answer[];
  /** Those who were to be refused, by the status that they were to get. */
  refusals: readonly { status: number; answers: readonly Answer[]; mayPass: number }[];
}

/** Every answer is the right one, and what is counted is what ran, to the cent. */
export async function checkApi(
  context: BenchmarkContext,
  stack: BenchStack,
  callers: Callers,
  { casts, refusals }: Expected,
): Promise<Check[]> {
  const { spending } = openTables(stack.tables);
  const period = monthOf(dayOf(Date.now()));
  const sums = async () => {
    const all = await Promise.all(
      callers.rich.map(async ({ customerId }) => await spending.get(customerId, period)),
    );
    const add = (of: 'usedCents' | 'reservedCents' | 'openCount'): number =>
      all.reduce((sum, row) => sum + (row?.[of] ?? 0), 0);
    return { used: add('usedCents'), reserved: add('reservedCents'), open: add('openCount') };
  };
  const left = async (): Promise<number> => (await sums()).open;
  const wait = { what: 'casts to end', everyMs: 500, stuckAfterMs: 180_000 };
  await waitUntilNoneLeft(context, { ...wait, left });
  const begun = casts.filter(({ status }) => status === 202).length;
  const { used, reserved } = await sums();
  const poor = await spending.get('cus_poor', period);
  const wrong = refusals.map(({ status, answers, mayPass }) => {
    const others = answers.filter((answer) => answer.status !== status).length;
    return {
      name: `refused with ${status}`,
      ok: answers.length > mayPass && others <= mayPass,
      detail: `${answers.length - others} of ${answers.length}`,
    };
  });
  return [
    {
      name: 'everyone with room is let through',
      ok: begun === casts.length && begun > 0,
      detail: `${begun} of ${casts.length} answered 202`,
    },
    {
      name: 'what is counted is what ran',
      ok: used === begun * castCents && reserved === 0,
      detail: `${used} cents used, ${reserved} reserved, ${begun} casts at ${castCents}`,
    },
    ...wrong,
    {
      name: 'who is refused spends nothing',
      ok: (poor?.usedCents ?? 0) === 0 && (poor?.reservedCents ?? 0) === 0,
      detail: `${poor?.usedCents ?? 0} used, ${poor?.reservedCents ?? 0} reserved`,
    },
  ];
}
