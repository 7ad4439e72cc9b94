/** What a forged request costs the process that refuses it: nothing else is sent meanwhile. */
import type Stripe from 'stripe';
import type { RunningServer } from '../../../dev/stack/types.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { measureCpu } from '../support/machine.ts';
import { makeForged } from './events.ts';
import { sendAtRate, sendFlood } from '../support/load.ts';
import type { Answer } from './arrival.ts';

interface ForgedRun {
  answers: Answer[];
  /** User and system time, of all that the process does for a request. */
  cpuMicroseconds: number;
}

export interface ForgedRuns {
  /** 1,000 a second: each one wakes the process. */
  atRate: ForgedRun;
  /** As fast as they are refused, over 16 connections: what a forger's flood costs. */
  flood: ForgedRun;
  /** Those of the warm-up too. */
  allAnswers: Answer[];
}

const perSecond = 1000;
const atOnce = 16;
const warmUp = 1000;
/** /proc counts CPU in hundredths of a second: with so many, one tick is 2.5 µs a request. */
const measured = 4000;

export async function runForged(
  { signal, progress }: BenchmarkContext,
  { name, pid, url }: RunningServer,
  templates: readonly Stripe.Event[],
): Promise<ForgedRuns> {
  progress(`${2 * measured} forged requests to ${name} …`);
  const target = `${url}/webhooks/stripe`;
  const warm = await sendAtRate(target, makeForged(templates, warmUp), perSecond, signal);
  const measure = async (send: () => Promise<Answer[]>): Promise<ForgedRun> => {
    const cpu = measureCpu({ [name]: pid });
    const answers = await send();
    return { answers, cpuMicroseconds: ((cpu()[name] ?? Number.NaN) / measured) * 1e6 };
  };
  const first = makeForged(templates, measured);
  const atRate = await measure(async () => await sendAtRate(target, first, perSecond, signal));
  const second = makeForged(templates, measured);
  const flood = await measure(async () => await sendFlood(target, second, atOnce, signal));
  return { atRate, flood, allAnswers: [...warm, ...atRate.answers, ...flood.answers] };
}
