import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BillingError } from '../../domain/errors.ts';

export interface CommandOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  onLine?: (line: string) => void;
  onSpawn?: (pid: number) => void;
  signal?: AbortSignal;
}

const KEPT_LINES = 20;

/**
 * Runs a command to its end and returns its last lines of output. It runs in a process group of its
 * own, so that a timeout or a Ctrl-C also ends what it started (a compiler's helpers).
 */
export async function runCommand(options: CommandOptions): Promise<string> {
  const { command, args } = options;
  options.signal?.throwIfAborted();
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    options.onLine?.(line);
  };
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  createInterface({ input: child.stdout }).on('line', keep);
  createInterface({ input: child.stderr }).on('line', keep);
  let stoppedBecause: string | undefined;
  const stop = (reason: string): void => {
    stoppedBecause ??= reason;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const timer = setTimeout(
    () => stop(`took longer than ${options.timeoutMs / 1000} s`),
    options.timeoutMs,
  );
  const onAbort = (): void => stop('was interrupted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0 && stoppedBecause === undefined) return lines.join('\n');
    const why = stoppedBecause ?? `ended with ${code === null ? 'a signal' : `code ${code}`}`;
    throw new BillingError(
      'unavailable',
      [`${command} ${args.join(' ')} ${why}`, ...lines].join('\n  '),
    );
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}
