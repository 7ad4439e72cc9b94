/** What a benchmark answers with. */

export type Unit =
  | 'per second'
  | 'bytes per second'
  | 'bytes'
  | 'count'
  | 'seconds'
  | 'ms'
  | 'µs'
  | 'fine';

export interface Figure {
  name: string;
  value: number;
  unit: Unit;
  /** What it is held against: a ceiling or a peer, in the same unit. */
  beside?: { name: string; value: number };
}

export interface Section {
  title: string;
  figures: Figure[];
}

/** A statement about the result that must hold, or the figures mean nothing. */
export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface BenchmarkResult {
  sections: Section[];
  checks: Check[];
  /** What a reader must know to read the figures. */
  notes: string[];
}

export interface BenchmarkContext {
  /** Everything that the benchmark keeps; removed afterwards. */
  dataDir: string;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  progress: (line: string) => void;
  /** Runs at the end, however it ends; the last one added runs first. */
  onEnd: (what: string, end: () => Promise<void> | void) => void;
}

export function ratio(figure: Figure): number | undefined {
  if (figure.beside === undefined || figure.beside.value === 0) return undefined;
  return figure.value / figure.beside.value;
}
