/** Stands in front of a server and holds chosen requests, before or after they took effect. */
import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface Hold {
  /** Sees the whole request: method, path, headers that matter and body, as one string. */
  matches: (request: string) => boolean;
  /** `before`: never forwarded. `after`: forwarded, and the answer kept back. */
  when: 'before' | 'after';
}

export interface Gate {
  url: string;
  hold: (hold: Hold) => void;
  /** Resolves once that many requests are held. */
  waitForHeld: (count: number) => Promise<void>;
  /** Holds nothing from now on; what is held stays unanswered. */
  open: () => void;
  stop: () => Promise<void>;
}

/** Each hold takes one request; a gate forwards to `target` on 127.0.0.1. */
export async function startGate(target: string): Promise<Gate> {
  const holds: Hold[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  let held = 0;
  const keep = (): void => {
    held += 1;
    for (const { count, resolve } of waiters) if (held >= count) resolve();
  };
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    const seen = `${req.method ?? ''} ${req.url ?? ''} ${String(req.headers['x-amz-target'])} ${body.toString()}`;
    const index = holds.findIndex((hold) => hold.matches(seen));
    const [hold] = index === -1 ? [] : holds.splice(index, 1);
    if (hold?.when === 'before') {
      keep();
      return;
    }
    const answer = await forward(target, req, body);
    if (hold !== undefined) {
      keep();
      return;
    }
    res.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    hold: (hold) => holds.push(hold),
    open: () => holds.splice(0),
    waitForHeld: async (count) => {
      if (held >= count) return;
      await new Promise<void>((resolve) => waiters.push({ count, resolve }));
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function forward(target: string, req: IncomingMessage, body: Buffer) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { host: _host, ...headers } = req.headers;
    const options = { method: req.method ?? 'GET', headers };
    forwardRequest(new URL(req.url ?? '/', target), options, resolve)
      .on('error', reject)
      .end(body);
  });
  return {
    status: answer.statusCode ?? 502,
    headers: answer.headers,
    body: await buffer(answer),
  };
}
