/** What a forged request costs the process that refuses it: nothing else is sent meanwhile. */
import type Stripe from 'stripe';
import type { RunningServer } from '../../../dev/stack/types.ts';
import type { BenchmarkContext } from '../support/benchmark.ts';
import { measureCpu } from '../support/machine.ts';
import { makeForged } from './events.ts';
import { sendAtRate } from './load.ts';
import type { Answer } from './load.ts';

export interface ForgedRun {
  answers: Answer[];
  /** Those of the warm-up too. */
  allAnswers: Answer[];
  /** User and system time, of all that the process does for a request. */
  cpuMicroseconds: number;
}

const perSecond = 1000;
const warmUp = 1000;
/** /proc counts CPU in hundredths of a second: with so many, one tick is 2.5 µs a request. */
const measured = 4000;

export async function runForged(
  { signal, progress }: BenchmarkContext,
  { name, pid, url }: RunningServer,
  templates: readonly Stripe.Event[],
): Promise<ForgedRun> {
  progress(`${measured} forged requests to ${name} …`);
  const target = `${url}/webhooks/stripe`;
  const warm = await sendAtRate(target, makeForged(templates, warmUp), perSecond, signal);
  const arrivals = makeForged(templates, measured);
  const cpu = measureCpu({ [name]: pid });
  const answers = await sendAtRate(target, arrivals, perSecond, signal);
  const cpuMicroseconds = ((cpu()[name] ?? Number.NaN) / measured) * 1e6;
  return { answers, allAnswers: [...warm, ...answers], cpuMicroseconds };
}
