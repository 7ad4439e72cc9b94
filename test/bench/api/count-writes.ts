/** What a cast costs the tables: its server and its worker behind a proxy that counts. Nothing is timed. */
import { startApiServer } from '../../../dev/stack/api-server.ts';
import { openTables } from '../../../tables/open.ts';
import { dayOf, monthOf } from '../../../domain/period.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { startCounting } from '../support/counting-proxy.ts';
import { sendFlood } from '../support/load.ts';
import type { Answer } from '../support/load.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';
import { bearer, castsOf } from './callers.ts';
import { castCents } from './options.ts';

const counted = 40;

export interface Writes {
  answers: Answer[];
  /** Writes to the counters of budgets, a cast. */
  guard: number;
  /** Reads by the server and the worker of keys and counters, a cast. */
  reads: number;
}

export async function countWrites(
  context: BenchmarkContext,
  stack: BenchStack,
  caller: { customerId: string; key: string },
): Promise<Writes> {
  const { dataDir, signal, progress, onEnd } = context;
  progress(`counting what ${counted} casts write …`);
  const { env, count } = await startCounting(context, stack);
  const own = {
    ...stack.env,
    ...env,
    TASK_QUEUE: 'bench-counted',
    COST_PER_CAST_CENTS: String(castCents),
    RATE_LIMIT_PER_MINUTE: '1000000',
  };
  const server = await startApiServer({ dataDir, signal, env: own });
  onEnd('counted server', async () => await server.stop());
  await stack.startWorker(own);
  const arrivals = castsOf([bearer(caller.key)], counted);
  const answers = await sendFlood(`${server.url}/v1/cast`, arrivals, 1, signal);
  const { spending } = openTables(stack.tables);
  const period = monthOf(dayOf(Date.now()));
  const left = async (): Promise<number> =>
    (await spending.get(caller.customerId, period))?.openCount ?? 0;
  await waitUntilNoneLeft(context, {
    what: 'counted casts to end',
    everyMs: 500,
    stuckAfterMs: 120_000,
    left,
  });
  const sum = (pattern: RegExp): number =>
    [...count.calls].reduce(
      (all, [name, { calls }]) => (pattern.test(name) ? all + calls : all),
      0,
    );
  return {
    answers,
    guard:
      sum(/^(?:UpdateItem|PutItem|DeleteItem|TransactWriteItems) \S*usage-counters$/) / counted,
    reads: sum(/^(?:GetItem|Query|BatchGetItem) \S*(?:usage-counters|api-keys)$/) / counted,
  };
}
