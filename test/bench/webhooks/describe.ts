import type { Figure, Section } from '../support/benchmark.ts';
import type { ForgedRuns } from './forged-only.ts';
import type { InboxRow } from './inbox.ts';
import type { Answer } from './arrival.ts';
import { percentile } from '../support/percentile.ts';
import type { RateRun } from './run-rate.ts';

const aimedAtPerSecond = 300;
const acknowledgedAimMs = 25;
const forgedAimMicroseconds = 100;

export function describeRate(run: RateRun, rows: readonly InboxRow[]): Section {
  const { perSecond, ours } = run;
  const genuine = ours.filter(({ arrival }) => arrival.kind !== 'forged');
  const refused = genuine.filter(({ status }) => status !== 200).length;
  const applied = appliedMs(rows, run.name);
  const lateMs = ours.map((answer) => answer.lateMs);
  const figures: Figure[] = [
    ...[50, 99, 99.9].flatMap((percent) => acknowledged(run, percent)),
    { name: 'applied after receipt, p50', value: percentile(applied, 50), unit: 'ms' },
    { name: 'applied after receipt, p99', value: percentile(applied, 99), unit: 'ms' },
    {
      name: 'applied, until none was left',
      value: applied.length / run.allAppliedSeconds,
      unit: 'per second',
      beside: { name: 'new events arriving', value: newPerSecond(run) },
    },
    { name: 'not accepted at first', value: refused, unit: 'count' },
    { name: 'forged, refused', value: ours.filter(isRefusedForgery).length, unit: 'count' },
    { name: 'sent late by this script, p99', value: percentile(lateMs, 99), unit: 'ms' },
    ...Object.entries(run.cpuSeconds).map(([name, seconds]): Figure => {
      const value = (seconds * 1000) / applied.length;
      return { name: `CPU of ${name}, per new event`, value, unit: 'ms' };
    }),
  ];
  return { title: `${perSecond} arrivals a second, ${ours.length} in all`, figures };
}

/** Of what was accepted: forged ones are answered sooner, and would flatter. */
function acknowledged(run: RateRun, percent: number): Figure[] {
  const of = (answers: readonly Answer[]): number =>
    percentile(
      answers.filter(({ status }) => status === 200).map(({ tookMs }) => tookMs),
      percent,
    );
  const name = `acknowledged, p${percent}`;
  const value = of(run.ours);
  const verify = { name: 'signature check only', value: of(run.verify) };
  const signal = { name: 'signal only, no inbox', value: of(run.signal) };
  const figures: Figure[] = [
    { name, value, unit: 'ms', beside: verify },
    { name: '', value, unit: 'ms', beside: signal },
  ];
  if (percent === 99 && run.perSecond === aimedAtPerSecond) {
    figures.push({
      name: '',
      value,
      unit: 'ms',
      beside: { name: 'aim', value: acknowledgedAimMs },
    });
  }
  return figures;
}

export function describeForged(ours: ForgedRuns, verify: ForgedRuns): Section {
  const aim = { name: 'aim', value: forgedAimMicroseconds };
  const cpu = (how: string, which: 'atRate' | 'flood'): Figure[] => {
    const value = ours[which].cpuMicroseconds;
    const beside = { name: 'signature check only', value: verify[which].cpuMicroseconds };
    return [
      { name: `CPU of the server per request, ${how}`, value, unit: 'µs', beside },
      { name: '', value, unit: 'µs', beside: aim },
    ];
  };
  const p99 = ({ atRate }: ForgedRuns): number =>
    percentile(
      atRate.answers.map(({ tookMs }) => tookMs),
      99,
    );
  return {
    title: `only forged, ${ours.atRate.answers.length} in each way`,
    figures: [
      ...cpu('1,000 a second', 'atRate'),
      ...cpu('as fast as refused', 'flood'),
      {
        name: 'refused, p99, 1,000 a second',
        value: p99(ours),
        unit: 'ms',
        beside: { name: 'signature check only', value: p99(verify) },
      },
    ],
  };
}

function appliedMs(rows: readonly InboxRow[], run: string): number[] {
  return rows
    .filter(({ eventId }) => eventId.startsWith(`evt_${run}_`))
    .flatMap(({ receivedAt, settledAt }) =>
      settledAt === undefined ? [] : [Date.parse(settledAt) - Date.parse(receivedAt)],
    );
}

function newPerSecond({ ours, perSecond }: RateRun): number {
  const fresh = ours.filter(({ arrival }) => arrival.kind === 'new').length;
  return (fresh / ours.length) * perSecond;
}

function isRefusedForgery({ arrival, status }: Answer): boolean {
  return arrival.kind === 'forged' && status === 400;
}
