/**
 * The demo's fourth part: a customer casts over HTTP with its own key until its budget is used up. It is
 * taken away again at the end, so that whoever tries the API next is not refused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { castCents } from '../../domain/budgets.ts';
import type { CastPrice } from '../../domain/budgets.ts';

export interface BudgetDemo {
  api: string;
  apiKey: string;
  price: CastPrice;
  /** Resolves once that processing has ended. */
  untilEnded: (processingId: string) => Promise<void>;
  report: (line: string) => void;
}

/** What the budget let through, and how it refused the next one. */
export interface BudgetRun {
  casts: { processingId: string; status: string; costCents: number }[];
  /** The body of the 402; absent where casts cost nothing, which no budget refuses. */
  refusal?: z.infer<typeof refusalShape>;
  equal: boolean;
}

const castShape = z.object({ processingId: z.string(), status: z.string(), costCents: z.number() });
const budgetShape = z.object({ usedCents: z.number(), reservedCents: z.number() });
const refusalShape = z.object({
  error: z.literal('budget_exceeded'),
  message: z.string(),
  limitCents: z.number(),
  usedCents: z.number(),
  reservedCents: z.number(),
  requestedCents: z.number(),
});

/** Room that the budget has for casts of `castFile`. */
const room = 2;

/** `file` is of the customer's own, `bytes` its size. */
export async function runBudgetDemo(
  demo: BudgetDemo,
  file: { key: string; bytes: number },
): Promise<BudgetRun> {
  const cents = castCents(demo.price, BigInt(file.bytes));
  const before = budgetShape.parse(await expectAnswer(demo, 200, 'PUT', '/v1/budgets', limits(0)));
  const spent = before.usedCents + before.reservedCents;
  await expectAnswer(demo, 200, 'PUT', '/v1/budgets', limits(spent + room * cents, spent + cents));
  const begun: string[] = [];
  for (let cast = 0; cast < room; cast += 1) {
    const told = await expectAnswer(demo, 202, 'POST', '/v1/cast', { files: [{ key: file.key }] });
    begun.push(castShape.parse(told).processingId);
  }
  const refusal = cents === 0 ? {} : { refusal: await refused(demo, file.key) };
  const casts: BudgetRun['casts'] = [];
  for (const processingId of begun) {
    await demo.untilEnded(processingId);
    casts.push(castShape.parse(await expectAnswer(demo, 200, 'GET', `/v1/casts/${processingId}`)));
  }
  const after = budgetShape.parse(await expectAnswer(demo, 200, 'GET', '/v1/budgets'));
  await expectAnswer(demo, 204, 'DELETE', '/v1/budgets');
  const expected = before.usedCents + room * cents;
  return {
    casts,
    ...refusal,
    equal:
      casts.every(({ status, costCents }) => status === 'completed' && costCents === cents) &&
      after.usedCents + after.reservedCents === expected + before.reservedCents,
  };
}

function limits(hardLimitCents: number, softLimitCents?: number): object {
  return { hardLimitCents, ...(softLimitCents === undefined ? {} : { softLimitCents }) };
}

async function refused(demo: BudgetDemo, key: string): Promise<z.infer<typeof refusalShape>> {
  const answer = await expectAnswer(demo, 402, 'POST', '/v1/cast', { files: [{ key }] });
  demo.report('one cast more was answered 402: the budget is used up');
  return refusalShape.parse(answer);
}

/**
 * The body of an answer with that status; any other is an error that says what came. A rate limit, which
 * the user may have set low, is waited for.
 */
async function expectAnswer(
  demo: BudgetDemo,
  status: number,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const answer = await fetch(`${demo.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.status === status) return text === '' ? undefined : JSON.parse(text);
  if (answer.status !== 429) {
    throw new Error(`${method} ${path} answered ${answer.status} instead of ${status}: ${text}`);
  }
  const seconds = Number(answer.headers.get('retry-after') ?? 1);
  demo.report(`the rate limit lets the next request through in ${seconds} s`);
  await delay(seconds * 1000);
  return await expectAnswer(demo, status, method, path, body);
}
