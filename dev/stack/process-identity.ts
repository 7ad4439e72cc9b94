import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const PS_TIMEOUT_MS = 5_000;

/** A pid is used again; together with the start time it names one process for good. */
export const processRecord = z.object({
  name: z.string(),
  pid: z.int().min(2),
  startTime: z.string(),
  command: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;

/** When the process with this pid started, as text to compare; undefined when there is none. */
export function processStartTime(pid: number): string | undefined {
  if (process.platform === 'linux') return startTimeFromProc(pid);
  try {
    const args = ['-o', 'lstart=', '-p', String(pid)];
    const options = { encoding: 'utf8', timeout: PS_TIMEOUT_MS, stdio: 'pipe' } as const;
    return execFileSync('ps', args, options).trim() || undefined;
  } catch {
    return undefined;
  }
}

function startTimeFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    // A zombie is over; it only waits for its parent to notice.
    if (ticks === undefined || state === 'Z') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}

/** True while the very process of the record runs, and not another one under its pid. */
export function isSameProcess(record: Pick<ProcessRecord, 'pid' | 'startTime'>): boolean {
  return processStartTime(record.pid) === record.startTime;
}
