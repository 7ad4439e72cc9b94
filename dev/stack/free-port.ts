import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';

/** Below the range that the kernel hands out, so no outgoing connection takes a port in between. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const CLAIM_LASTS_MS = 60_000;
const PICK_ATTEMPTS = 200;
const START_ATTEMPTS = 3;

/** True when a server could listen on 127.0.0.1:port now. */
export async function isPortFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/**
 * A free port that no other caller of this function gets in the next minute, in any process of this
 * user: picking and listening are two moments, and tests and stacks start side by side.
 */
export async function pickFreePort(): Promise<number> {
  for (let attempt = 0; attempt < PICK_ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (claim(port) && (await isPortFree(port))) return port;
  }
  throw new BillingError('unavailable', `no free port between ${FIRST_PORT} and ${LAST_PORT}`);
}

/**
 * Starts something on `port`, or on a free one when `port` is 0 or missing. If somebody else took the
 * free port in between it is tried again on another; a taken port that was asked for is an error.
 */
export async function onPort<T>(
  port: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (port !== undefined && port !== 0) {
    if (!(await isPortFree(port))) throw new BillingError('conflict', `port ${port} is taken`);
    return await start(port);
  }
  for (let attempt = 1; ; attempt += 1) {
    const picked = await pickFreePort();
    try {
      return await start(picked);
    } catch (error) {
      const wasTaken = !(await isPortFree(picked));
      if (!wasTaken || attempt === START_ATTEMPTS) throw error;
    }
  }
}

function claim(port: number): boolean {
  const folder = path.join(os.tmpdir(), `durabill-ports-${process.getuid?.() ?? 0}`);
  const file = path.join(folder, String(port));
  try {
    mkdirSync(folder, { recursive: true });
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > CLAIM_LASTS_MS) rmSync(file, { force: true });
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
