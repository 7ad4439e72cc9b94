import type { Report } from './types.ts';

/** 75_000 → "1m15s". */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Reports `label — elapsed` every second while the task runs; `detail` may add what it is at. */
export async function withProgress<T>(
  report: Report,
  label: string,
  task: (detail: (text: string) => void) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  let detail = '';
  const say = (): void => {
    const elapsed = formatElapsed(performance.now() - startedAt);
    report(`${label} — ${elapsed}${detail === '' ? '' : ` (${detail})`}`);
  };
  say();
  const timer = setInterval(say, 1_000);
  try {
    return await task((text) => {
      detail = text;
    });
  } finally {
    clearInterval(timer);
  }
}

/**
 * Where lines are printed one under the other, the same progress line every second is noise: this
 * lets one through when its label is new or `everyMs` have passed.
 */
export function throttleProgress(report: Report, everyMs: number): Report {
  const lastAt = new Map<string, number>();
  return (line) => {
    const label = line.split(' — ', 1)[0] ?? line;
    const now = performance.now();
    const last = lastAt.get(label);
    if (line.includes(' — ') && last !== undefined && now - last < everyMs) return;
    lastAt.set(label, now);
    report(line);
  };
}
