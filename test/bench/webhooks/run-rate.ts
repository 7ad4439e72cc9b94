/** One rate: ours with everything behind it, then the peers with the same arrivals. */
import type Stripe from 'stripe';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { measureCpu } from '../support/machine.ts';
import type { BenchStack } from '../support/stack.ts';
import { waitUntilNoneLeft } from '../support/wait.ts';
import { readCounter } from './counters.ts';
import { readInbox } from './inbox.ts';
import { makeArrivals } from './events.ts';
import { sendAtRate } from '../support/load.ts';
import type { Answer } from './arrival.ts';
import type { Receivers } from './processes.ts';

export interface RateRun {
  /** Part of its events' ids. */
  name: string;
  perSecond: number;
  ours: Answer[];
  verify: Answer[];
  signal: Answer[];
  cpuSeconds: Record<string, number>;
  /** From the first arrival until the last was applied. */
  allAppliedSeconds: number;
  /** Not all were applied in time: the checks say which. */
  stuck: boolean;
}

export interface RateOptions {
  /** Part of its events' ids: no two runs share it. */
  name: string;
  perSecond: number;
  seconds: number;
  templates: readonly Stripe.Event[];
  /** Every event that was ever accepted; this run adds its own. */
  accepted: Set<string>;
}

const appliedCounter = 'durabill_webhooks_applied_total';
const resendings = 5;
const lookedForAtMost = 10;
/** Longer than a try that Temporal misses after a minute and repeats after 20 s more. */
const patienceMs = 100_000;

export async function runRate(
  context: BenchmarkContext,
  stack: BenchStack,
  receivers: Receivers,
  { name, perSecond, seconds, templates, accepted }: RateOptions,
): Promise<RateRun> {
  const { signal, progress } = context;
  progress(`${perSecond} arrivals a second for ${seconds} s …`);
  const send = async (to: keyof Receivers): Promise<Answer[]> => {
    // Signed anew: a signature is good for 300 s.
    const arrivals = makeArrivals(templates, name, perSecond * seconds);
    const url = `${receivers[to].url}/webhooks/stripe`;
    return await sendAtRate(url, arrivals, perSecond, signal);
  };
  const cpu = measureCpu({
    ...stack.pids,
    server: receivers.ours.pid,
    worker: receivers.worker.pid,
  });
  const startedMs = performance.now();
  const ours = await send('ours');
  await sendAgain(context, receivers, ours, perSecond);
  for (const { arrival } of ours) if (arrival.kind === 'new') accepted.add(arrival.eventId);
  const wait = { what: 'events to apply', everyMs: 200, stuckAfterMs: patienceMs };
  const left = async (): Promise<number> => await countLeft(stack, receivers, accepted);
  let stuck = false;
  await waitUntilNoneLeft(context, { ...wait, left }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    progress(String(error));
    stuck = true;
  });
  const allAppliedSeconds = (performance.now() - startedMs) / 1000;
  const cpuSeconds = cpu();
  const verify = await send('verify');
  const inline = await send('signal');
  const measured = { name, perSecond, ours, verify, signal: inline };
  return { ...measured, cpuSeconds, allAppliedSeconds, stuck };
}

/** As Stripe does with what was not answered with 2xx, only sooner. */
async function sendAgain(
  { signal, progress }: BenchmarkContext,
  { ours }: Receivers,
  answers: readonly Answer[],
  perSecond: number,
): Promise<void> {
  const genuine = answers.filter(({ arrival }) => arrival.kind !== 'forged');
  let refused = genuine.filter(({ status }) => status !== 200).map(({ arrival }) => arrival);
  for (let round = 0; refused.length > 0; round += 1) {
    if (round === resendings) throw new Error(`${refused.length} events were never accepted`);
    progress(`  ${refused.length} were not accepted, and are sent again`);
    const url = `${ours.url}/webhooks/stripe`;
    const again = await sendAtRate(url, refused, perSecond / 2, signal);
    refused = again.filter(({ status }) => status !== 200).map(({ arrival }) => arrival);
  }
}

/**
 * The worker's counter is cheap to ask, but misses what was settled by an attempt that died before it
 * counted: the last few are looked for in the inbox.
 */
async function countLeft(
  stack: BenchStack,
  { worker }: Receivers,
  accepted: ReadonlySet<string>,
): Promise<number> {
  const left = accepted.size - (await readCounter(worker.url, appliedCounter));
  if (left <= 0 || left > lookedForAtMost) return left;
  const applied = (await readInbox(stack)).filter(({ status }) => status === 'applied');
  return accepted.size - applied.length;
}
