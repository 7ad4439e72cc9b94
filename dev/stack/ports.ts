import path from 'node:path';
import { z } from 'zod';
import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import type { Report } from '../tools/types.ts';
import { isPortFree, pickFreePort } from './free-port.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** Every port of the stack: its variable, its default, and what a person calls it. */
export const PORT_SETTINGS = {
  api: { variable: 'PORT', defaultPort: 8080, label: 'API' },
  temporal: { variable: 'TEMPORAL_PORT', defaultPort: 7233, label: 'Temporal' },
  temporalUi: { variable: 'TEMPORAL_UI_PORT', defaultPort: 8233, label: 'Temporal UI' },
  dynamodb: { variable: 'DYNAMODB_PORT', defaultPort: 8000, label: 'DynamoDB' },
  s3: { variable: 'S3_PORT', defaultPort: 7070, label: 'S3' },
  stripe: { variable: 'STRIPE_PORT', defaultPort: 12_111, label: 'Stripe double' },
  workerHealth: { variable: 'WORKER_HEALTH_PORT', defaultPort: 8081, label: 'worker health' },
  alerts: { variable: 'ALERTS_PORT', defaultPort: 8090, label: 'receiver of alerts' },
} as const;

type PortName = keyof typeof PORT_SETTINGS;
export type Ports = Readonly<Record<PortName, number>>;

const portNumber = z.coerce.number().int().min(1).max(65_535);
const savedPorts = z.record(z.string(), portNumber);

/**
 * Decides every port: the variable if set (taken is an error), else the one of the last run, else the
 * default, else a free one, which is said. The choice is kept in `<dataDir>/ports.json`.
 */
export async function choosePorts(
  dataDir: string,
  environment: Environment,
  report: Report,
): Promise<Ports> {
  const file = path.join(dataDir, 'ports.json');
  const saved = readJsonFile(file, savedPorts) ?? {};
  const chosen = new Map<PortName, number>();
  const names = Object.keys(PORT_SETTINGS) as PortName[];
  const isUsable = async (port: number): Promise<boolean> =>
    ![...chosen.values()].includes(port) && (await isPortFree(port));

  for (const name of names) {
    const explicit = explicitPort(name, environment);
    if (explicit === undefined) continue;
    if (!(await isUsable(explicit))) throw takenPort(name, explicit);
    chosen.set(name, explicit);
  }
  for (const name of names) {
    if (chosen.has(name)) continue;
    const { defaultPort, label, variable } = PORT_SETTINGS[name];
    const before = saved[name];
    const wanted = before !== undefined && (await isUsable(before)) ? before : defaultPort;
    const port = (await isUsable(wanted)) ? wanted : await pickFreePort();
    chosen.set(name, port);
    if (port === defaultPort) continue;
    const why = port === before ? 'as on the last start' : `${defaultPort} is taken`;
    report(`${label} is on port ${port} (${why}; ${variable} chooses another)`);
  }
  const ports = Object.fromEntries(chosen) as Record<PortName, number>;
  // A port that was asked for holds for this run only; without the variable the default is back.
  const own = names.filter((name) => explicitPort(name, environment) === undefined);
  const kept = own.map((name) => [name, ports[name]]);
  writeJsonFile(file, { ...saved, ...Object.fromEntries(kept) });
  return ports;
}

function explicitPort(name: PortName, environment: Environment): number | undefined {
  const { variable } = PORT_SETTINGS[name];
  const text = environment[variable];
  if (text === undefined || text === '') return undefined;
  const port = portNumber.safeParse(text);
  if (port.success) return port.data;
  throw new BillingError('invalid_request', `${variable}=${text} is not a port (1 to 65535)`);
}

function takenPort(name: PortName, port: number): BillingError {
  const { variable, label } = PORT_SETTINGS[name];
  const hint = `stop what listens there, set another, or unset ${variable} to have a free one picked`;
  return new BillingError('conflict', `${variable}=${port} (${label}) is taken: ${hint}`);
}
