/** The guarded API: casts with budget and rate limit on, and what a refusal costs. */
import type { Command } from 'commander';
import { bearer, castsOf, makeCallers } from './api/callers.ts';
import { checkApi } from './api/check.ts';
import { countWrites } from './api/count-writes.ts';
import { describeDoor, p99 } from './api/describe.ts';
import type { DoorRun } from './api/describe.ts';
import type { ApiBenchOptions } from './api/options.ts';
import { startDoors } from './api/processes.ts';
import type { BenchmarkContext, BenchmarkResult } from './support/benchmark.ts';
import { sendAtRate, sendFlood } from './support/load.ts';
import { runBenchmark } from './support/run-benchmark.ts';
import { startBenchStack } from './support/stack.ts';
import { toCount } from './support/storage-options.ts';

const atOnce = 16;
/** Each process compiles what it runs often. */
const warmUps = 200;
/** The aims of the product: a refusal's p99, what a guard may add to a cast's, and its writes. */
const aims = { refusalMs: 2, guardMs: 10, writes: 2 };

export function addApi(program: Command): void {
  program
    .command('api')
    .summary('casts a second with budget and rate limit on; what a refusal costs')
    .option('--casts <n>', 'casts a second, with room', toCount, 20)
    .option('--refusals <n>', 'refusals a second', toCount, 500)
    .option('--seconds <n>', 'length of each rate', toCount, 4)
    .option('--json', 'print one JSON value', false)
    .option('--keep', 'keep the temp folder with the logs', false)
    .action(async (options: ApiBenchOptions) => {
      await runBenchmark('api', options, async (context) => await run(context, options));
    });
}

async function run(
  context: BenchmarkContext,
  { casts, refusals, seconds }: ApiBenchOptions,
): Promise<BenchmarkResult> {
  const { signal, progress } = context;
  const stack = await startBenchStack(context);
  const doors = await startDoors(context, stack);
  const callers = await makeCallers(stack);

  type Door = 'ours' | 'strict' | 'bare' | 'start' | 'redis';
  const ask = async (door: Door, keys: readonly string[], rate: number): Promise<DoorRun> => {
    const url = `${doors[door].url}/v1/cast`;
    const count = rate * seconds;
    progress(`${count} requests to ${doors[door].name}, ${rate} a second, and again at once …`);
    const warm = await sendFlood(url, castsOf(keys, Math.min(warmUps, count)), atOnce, signal);
    const atRate = await sendAtRate(url, castsOf(keys, count), rate, signal);
    const startedMs = performance.now();
    const flood = await sendFlood(url, castsOf(keys, count), atOnce, signal);
    return { warm, atRate, flood, floodSeconds: (performance.now() - startedMs) / 1000 };
  };

  const rich = callers.rich.map(({ key }) => bearer(key));
  const begun = {
    ours: await ask('ours', rich, casts),
    start: await ask('start', ['cus_peer'], casts),
    redis: await ask('redis', ['rich'], casts),
  };
  const refused = {
    402: await ask('ours', [bearer(callers.poor)], refusals),
    429: await ask('strict', [bearer(callers.busy)], refusals),
    401: await ask('ours', [bearer('dbk_00000000000000000000000000000000000000')], refusals),
  };
  const redis = {
    402: await ask('redis', ['poor'], refusals),
    429: await ask('redis', ['busy'], refusals),
  };
  const bare = await ask('bare', ['anybody'], refusals);
  const writes = await countWrites(context, stack, callers.rich[0] ?? { customerId: '', key: '' });

  const allOf = ({ warm, atRate, flood }: DoorRun) => [...warm, ...atRate, ...flood];
  const refusalAim = (run: DoorRun) => ({
    name: '',
    value: p99(run),
    unit: 'ms' as const,
    beside: { name: 'aim', value: aims.refusalMs },
  });
  const bareRoute = { name: 'a bare Hono route', run: bare };
  const byRedis = (run: DoorRun) => ({ name: 'a guard of Redis alone', run });
  const guardMs = p99(begun.ours) - p99(begun.start);
  return {
    sections: [
      describeDoor(
        `casts, ${casts} a second`,
        begun.ours,
        [{ name: 'begun without a guard', run: begun.start }, byRedis(begun.redis)],
        [
          {
            name: 'the guard adds to p99',
            value: guardMs,
            unit: 'ms',
            beside: { name: 'aim', value: aims.guardMs },
          },
        ],
      ),
      {
        title: 'what a cast asks of the tables',
        figures: [
          {
            name: 'writes of its budget',
            value: writes.guard,
            unit: 'count',
            beside: { name: 'aim', value: aims.writes },
          },
          { name: 'reads of key and budget', value: writes.reads, unit: 'count' },
        ],
      },
      ...([402, 429] as const).map((status) =>
        describeDoor(
          `${status}, ${refusals} a second`,
          refused[status],
          [bareRoute, byRedis(redis[status])],
          [refusalAim(refused[status])],
        ),
      ),
      describeDoor(
        `401, ${refusals} a second`,
        refused[401],
        [bareRoute],
        [refusalAim(refused[401])],
      ),
    ],
    checks: await checkApi(context, stack, callers, {
      casts: [...allOf(begun.ours), ...writes.answers],
      refusals: ([402, 429, 401] as const).map((status) => ({
        status,
        answers: allOf(refused[status]),
        // One a minute is let through.
        mayPass: status === 429 ? 2 : 0,
      })),
    }),
    notes: [
      'times count from when a request was due, not from when it was sent',
      'the guard of Redis begins no processing, keeps no account and forgets with Redis',
      'ours begins processings in Temporal, which a worker runs beside it on the same cores',
    ],
  };
}
