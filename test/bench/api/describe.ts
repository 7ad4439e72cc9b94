import type { Figure, Section } from '../support/benchmark.ts';
import type { Answer } from '../support/load.ts';
import { percentile } from '../support/percentile.ts';

/** The same requests at a rate, and as many at once as a few callers make. */
export interface DoorRun {
  /** Before it is measured. */
  warm: Answer[];
  atRate: Answer[];
  flood: Answer[];
  floodSeconds: number;
}

interface Peer {
  name: string;
  run: DoorRun;
}

const tookMs = ({ atRate }: DoorRun, percent: number): number =>
  percentile(
    atRate.map((answer) => answer.tookMs),
    percent,
  );
const perSecond = ({ flood, floodSeconds }: DoorRun): number => flood.length / floodSeconds;

/** Latencies of the even rate, and what passes when all come as they are answered, each beside the peers'. */
export function describeDoor(
  title: string,
  ours: DoorRun,
  peers: readonly Peer[],
  aims: readonly Figure[],
): Section {
  const latencies = [50, 99].flatMap((percent): Figure[] =>
    beside(`p${percent}`, 'ms', tookMs(ours, percent), peers, (run) => tookMs(run, percent)),
  );
  const lateMs = percentile(
    ours.atRate.map((answer) => answer.lateMs),
    99,
  );
  return {
    title,
    figures: [
      ...latencies,
      ...aims,
      ...beside('most that pass', 'per second', perSecond(ours), peers, perSecond),
      { name: 'sent late by this script, p99', value: lateMs, unit: 'ms' },
    ],
  };
}

function beside(
  name: string,
  unit: Figure['unit'],
  value: number,
  peers: readonly Peer[],
  of: (run: DoorRun) => number,
): Figure[] {
  return peers.map((peer, index): Figure => ({
    name: index === 0 ? name : '',
    value,
    unit,
    beside: { name: peer.name, value: of(peer.run) },
  }));
}

export const p99 = (run: DoorRun): number => tookMs(run, 99);
