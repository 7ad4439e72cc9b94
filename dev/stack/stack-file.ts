import path from 'node:path';
import { z } from 'zod';
import { readJsonFile, removeFile, writeJsonFile } from './json-file.ts';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';

const stackFile = z.object({
  api: z.string(),
  /** host:port */
  temporal: z.string(),
  temporalUi: z.string(),
  dynamodb: z.string(),
  s3: z.string(),
  stripe: z.string(),
  /** Where the launcher receives alerts. */
  alerts: z.string(),
  adminToken: z.string(),
  demo: z.object({ customerId: z.string(), apiKey: z.string() }),
  pid: z.int(),
});

/** What `.durabill/stack.json` holds while the stack runs. */
export type StackDescription = z.infer<typeof stackFile>;

export const DEMO_CUSTOMER_ID = 'cus_DemoAurora';

/** Every endpoint of the stack and the demo's credentials. */
export function describeStack(ports: Ports, secrets: Secrets): StackDescription {
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  return {
    api: url(ports.api),
    temporal: `127.0.0.1:${ports.temporal}`,
    temporalUi: url(ports.temporalUi),
    dynamodb: url(ports.dynamodb),
    s3: url(ports.s3),
    stripe: url(ports.stripe),
    alerts: url(ports.alerts),
    adminToken: secrets.adminToken,
    demo: { customerId: DEMO_CUSTOMER_ID, apiKey: secrets.demoApiKey },
    pid: process.pid,
  };
}

/** Says that the stack runs. */
export function writeStackFile(dataDir: string, stack: StackDescription): void {
  writeJsonFile(path.join(dataDir, 'stack.json'), stack);
}

/** The stack that runs on this data folder, or that crashed on it. */
export function readStackFile(dataDir: string): StackDescription | undefined {
  return readJsonFile(path.join(dataDir, 'stack.json'), stackFile);
}

/** The stack no longer runs. */
export function removeStackFile(dataDir: string): void {
  removeFile(path.join(dataDir, 'stack.json'));
}
