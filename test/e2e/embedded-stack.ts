/** `npm start` as a process, the way a user has it: variables in, lines out, signals. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { baseEnvironment, developmentEnvironment } from '../../dev/environment.ts';
import { endWithThisProcess } from '../../dev/stack/child-groups.ts';
import { pickFreePort } from '../../dev/stack/free-port.ts';
import { CHECKOUT, nodeArguments } from '../../dev/stack/node-process.ts';
import { PORT_SETTINGS } from '../../dev/stack/ports.ts';
import { isSameProcess, processRecord } from '../../dev/stack/process-identity.ts';
import type { ProcessRecord } from '../../dev/stack/process-identity.ts';

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Launcher {
  pid: number;
  /** The line of `--json`: printed once the stack is up and the demo has run. */
  summary: Promise<Summary>;
  exited: Promise<Ended>;
  /** SIGTERM, unless it has ended. */
  stop: () => Promise<void>;
  stdout: () => string;
  stderr: () => string;
}

const sums = z.object({
  customerId: z.string(),
  jobs: z.number(),
  processedBytes: z.string(),
  ledgerBytes: z.string(),
  stripeBytes: z.string(),
  waiting: z.number(),
});
const account = z.object({
  customerId: z.string(),
  billingStatus: z.string(),
  subscriptions: z.array(z.object({ subscriptionId: z.string(), status: z.string() })),
  payments: z.array(z.object({ paymentId: z.string(), status: z.string(), amount: z.number() })),
  equal: z.boolean(),
});
const summarySchema = z.object({
  ok: z.boolean(),
  demo: z.object({
    jobs: z.array(z.string()),
    customers: z.array(sums),
    accounts: z.array(account),
    budget: z.object({
      casts: z.array(
        z.object({ processingId: z.string(), status: z.string(), costCents: z.number() }),
      ),
      refusal: z.object({ error: z.string(), limitCents: z.number(), requestedCents: z.number() }),
    }),
    equal: z.boolean(),
  }),
});
export type Summary = z.infer<typeof summarySchema>;

/** A free port for each of the stack's, by the variable that chooses it. */
export async function freePorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {};
  for (const { variable } of Object.values(PORT_SETTINGS)) {
    ports[variable] = String(await pickFreePort());
  }
  return ports;
}

export function launch(args: readonly string[], env: Record<string, string>): Launcher {
  const tools = developmentEnvironment()['DURABILL_TOOLS'];
  const child = spawn(process.execPath, [...nodeArguments('dev/main.ts'), ...args], {
    cwd: CHECKOUT,
    env: {
      ...baseEnvironment(developmentEnvironment()),
      ...(tools === undefined ? {} : { DURABILL_TOOLS: tools }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the launcher did not start');
  endWithThisProcess(pid, exited);
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const end = stdout.indexOf('\n');
      if (end !== -1) resolve(stdout.slice(0, end));
    });
    void exited.then(() => reject(new Error(`the launcher ended early:\n${stdout}\n${stderr}`)));
  });
  const summary = firstLine.then((line) => summarySchema.parse(JSON.parse(line)));
  // A start that is meant to fail has no summary, and nobody waits for it.
  summary.catch(() => undefined);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  return { pid, summary, exited, stop, stdout: () => stdout, stderr: () => stderr };
}

const processes = z.object({ launcher: processRecord, children: z.array(processRecord) });

/** Who runs, by the launcher's own book. */
export function readProcesses(dataDir: string): ProcessRecord[] {
  const text = readFileSync(path.join(dataDir, 'processes.json'), 'utf8');
  return processes.parse(JSON.parse(text)).children;
}

export function processNamed(dataDir: string, name: string): ProcessRecord {
  const found = readProcesses(dataDir).find((child) => child.name === name);
  if (found === undefined) throw new Error(`${name} is not in processes.json`);
  return found;
}

export function livingOf(records: readonly ProcessRecord[]): string[] {
  return records.filter((record) => isSameProcess(record)).map(({ name }) => name);
}
