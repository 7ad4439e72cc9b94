/** `durabill bill month`: starts a month's run, and waits for it when asked to. */
import { BillingError } from '../../domain/errors.ts';
import { checkBillableMonth } from '../../domain/storage.ts';
import type { StorageBill } from '../../tables/storage-monthly.ts';
import type { BillStorageProgress } from '../../domain/storage-runs.ts';
import type { Tables } from '../../tables/open.ts';
import type { Context } from '../shell/context.ts';
import { count, facts, humanBytes, seconds, table } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { linkTo } from '../process/show.ts';

/** Bills read at the end; a month that failed as a whole has as many as customers. */
const mostRead = 1000;
/** Of these, named to a person. */
const mostNamed = 50;

export async function billMonth(
  context: Context,
  { month, wait }: { month: string; wait: boolean },
): Promise<Answer> {
  checkBillableMonth(month, context.now().getTime());
  const engine = await context.engine();
  const workflowId = await engine.startMonth({ month });
  if (wait) return await waitForMonth(context, month, workflowId);
  const temporalUi = linkTo(context, workflowId);
  return {
    json: { month, workflowId, ...(temporalUi === undefined ? {} : { temporalUi }) },
    text: facts([
      ['month', month],
      ['workflow', workflowId],
      ['Temporal UI', temporalUi],
      ['next', `durabill bill month --month ${month} --wait`],
    ]),
  };
}

async function waitForMonth(context: Context, month: string, workflowId: string): Promise<Answer> {
  const { follow } = await import('../shell/follow.ts');
  const engine = await context.engine();
  await follow(engine, {
    workflowId,
    goesOn: `The run goes on: durabill bill month --month ${month} --wait`,
    progress: async () => sayProgress(await engine.readProgress('billStorage', workflowId)),
  });
  const outcome = await engine.readOutcome('billStorage', workflowId);
  if ('failure' in outcome) {
    throw new BillingError('conflict', `billing ${month} failed: ${outcome.failure}`);
  }
  const { result } = outcome;
  const { storageMonthly, deadLetters } = await context.tables();
  const left = await findDiscarded(deadLetters, month);
  const failed = (await firstOf(storageMonthly.ofMonth(month, 'failed'))).filter(
    ({ customerId }) => !left.has(customerId),
  );
  const pending = await firstOf(storageMonthly.ofMonth(month, 'pending'));
  const failures = Math.max(result.failed, failed.length);
  const text = [draw(result, pending.length), drawFailed(failed)].filter((part) => part !== '');
  return {
    json: {
      workflowId,
      ...result,
      pending: pending.length,
      failedBills: failed.map(({ customerId, notes }) => ({ customerId, notes: notes ?? '' })),
    },
    text: text.join('\n\n'),
    ...(failures === 0
      ? {}
      : { failed: `${count(failures)} customer(s) could not be billed for ${month}` }),
  };
}

/** Customers whose failed bill a person has discarded: nothing is to be done about it (SB24). */
async function findDiscarded(
  deadLetters: Tables['deadLetters'],
  month: string,
): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { customerId, subject, status } of deadLetters.list('storage-bill')) {
    if (status === 'discarded' && subject.month === month) found.add(customerId);
  }
  return found;
}

function sayProgress({ billed, failed, skipped, running }: BillStorageProgress): string {
  const [done, bad, left, now] = [billed, failed, skipped, running].map(count);
  return `${done} billed, ${bad} failed, ${left} skipped, ${now} running`;
}

async function firstOf(bills: AsyncGenerator<StorageBill>): Promise<StorageBill[]> {
  const found: StorageBill[] = [];
  for await (const bill of bills) {
    found.push(bill);
    if (found.length === mostRead) break;
  }
  return found;
}

function draw(result: BillStorageProgress, pending: number): string {
  const { month, billed, failed, skipped, bytes, durationMs } = result;
  return facts([
    ['month', month],
    ['billed', count(billed)],
    ['failed', count(failed)],
    ['skipped', `${count(skipped)} (billed before, discarded, or running)`],
    ['still open', pending === 0 ? undefined : count(pending)],
    ['bytes billed', `${count(bytes)} (${humanBytes(bytes)})`],
    ['took', seconds(durationMs)],
  ]);
}

function drawFailed(failed: readonly StorageBill[]): string {
  if (failed.length === 0) return '';
  const rows = failed
    .slice(0, mostNamed)
    .map(({ customerId, averageStorageBytes, notes }) => [
      customerId,
      count(averageStorageBytes),
      notes ?? '',
    ]);
  const columns = [
    { title: 'Failed' },
    { title: 'Average bytes', align: 'right' as const },
    { title: 'Notes' },
  ];
  const more = failed.length - mostNamed;
  const rest = more > 0 ? `\n… and ${count(more)} more (--json has them)` : '';
  const next = 'durabill dead-letters redrive --all --kind storage-bill';
  return `${table(columns, rows)}${rest}\n\nNext: ${next}`;
}
