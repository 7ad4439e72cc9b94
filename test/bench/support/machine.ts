import { readFileSync } from 'node:fs';
import os from 'node:os';

export interface Machine {
  cores: number;
  processor: string;
  memoryBytes: number;
  node: string;
  platform: string;
  /** Of the last minute, when the benchmark ended: more than the cores means that they were shared. */
  loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cores: os.availableParallelism(),
    processor: os.cpus()[0]?.model ?? 'unknown',
    memoryBytes: os.totalmem(),
    node: process.version,
    platform: `${os.platform()} ${os.arch()}`,
    loadAverage: os.loadavg()[0] ?? 0,
  };
}

export interface ProcessMemory {
  residentBytes: number;
  /** The most that was ever resident. */
  peakBytes: number;
}

/** From /proc/<pid>/status; Linux only. */
export function readMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (found === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
    return Number(found);
  };
  return { residentBytes: kibibytes('VmRSS') * 1024, peakBytes: kibibytes('VmHWM') * 1024 };
}

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on (USER_HZ). */
const ticksPerSecond = 100;

/** Seconds of CPU, user and system, that a process has used. */
function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; fields are counted from behind it (proc(5): 14 and 15).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Seconds of CPU by name between the call and the call of what it returns. */
export function measureCpu(pids: Record<string, number>): () => Record<string, number> {
  const before = Object.entries(pids).map(([name, pid]) => ({
    name,
    pid,
    at: readCpuSeconds(pid),
  }));
  return () =>
    Object.fromEntries(before.map(({ name, pid, at }) => [name, readCpuSeconds(pid) - at]));
}
