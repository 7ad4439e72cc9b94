import net from 'node:net';

const PROBE_TIMEOUT_MS = 2_000;

/** True when the URL answers with the status 200 in time. */
export async function answersOk(url: string, request: RequestInit = {}): Promise<boolean> {
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const response = await fetch(url, { ...request, signal });
  await response.arrayBuffer();
  return response.status === 200;
}

/** True when something listens on 127.0.0.1:port. */
export async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', timeout: PROBE_TIMEOUT_MS });
    const finish = (listening: boolean) => (): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', finish(true));
    socket.once('error', finish(false));
    socket.once('timeout', finish(false));
  });
}
