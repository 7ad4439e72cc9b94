/**
 * Stands in front of a server: holds chosen requests, before or after they took effect, answers others
 * with an error, and counts.
 */
import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface Hold {
  /** Sees the whole request: method, path, headers that matter and body, as one string. */
  matches: Matches;
  /** `before`: never forwarded. `after`: forwarded, and the answer kept back. */
  when: 'before' | 'after';
}

type Matches = (request: string) => boolean;

/** Requests that were met: what each was, and how many of them there were at the same time. */
interface Watch {
  requests: string[];
  mostAtOnce: number;
}

interface Gathering {
  matches: Matches;
  missing: number;
  complete: Promise<void>;
  resolve: () => void;
}

export interface Gate {
  url: string;
  hold: (hold: Hold) => void;
  /** Answers every such request with this status, until the gate is opened; with DynamoDB's error of this name. */
  fail: (matches: Matches, status?: number, awsError?: string) => void;
  watch: (matches: Matches) => Watch;
  /** Keeps such requests waiting until `count` of them wait together, once; then forwards all. */
  gather: (matches: Matches, count: number) => void;
  /** Resolves once that many requests are held. */
  waitForHeld: (count: number) => Promise<void>;
  /** Holds and fails nothing from now on; what is held stays unanswered. */
  open: () => void;
  stop: () => Promise<void>;
}

/** Each hold takes one request; a gate forwards to `target` on 127.0.0.1. */
export async function startGate(target: string): Promise<Gate> {
  const holds: Hold[] = [];
  const failing: { matches: Matches; status: number; awsError?: string | undefined }[] = [];
  const watches: { matches: Matches; watch: Watch; underWay: number }[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const gatherings: Gathering[] = [];
  let held = 0;
  const keep = (): void => {
    held += 1;
    for (const { count, resolve } of waiters) if (held >= count) resolve();
  };
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    const seen = `${req.method ?? ''} ${req.url ?? ''} ${String(req.headers['x-amz-target'])} ${body.toString()}`;
    for (const entry of watches.filter(({ matches }) => matches(seen))) {
      entry.watch.requests.push(seen);
      entry.underWay += 1;
      entry.watch.mostAtOnce = Math.max(entry.watch.mostAtOnce, entry.underWay);
      res.once('close', () => (entry.underWay -= 1));
    }
    await Promise.all(
      gatherings.filter(({ matches }) => matches(seen)).map(async (one) => await join(one)),
    );
    const failed = failing.find(({ matches }) => matches(seen));
    if (failed !== undefined) {
      const { status, awsError } = failed;
      const type = { 'content-type': 'application/x-amz-json-1.0' };
      if (awsError === undefined) res.writeHead(status).end();
      else res.writeHead(status, type).end(JSON.stringify({ __type: awsError, message: awsError }));
      return;
    }
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
  // Never closes an idle connection under its caller.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    hold: (hold) => holds.push(hold),
    fail: (matches, status = 500, awsError) => failing.push({ matches, status, awsError }),
    watch: (matches) => {
      const watch: Watch = { requests: [], mostAtOnce: 0 };
      watches.push({ matches, watch, underWay: 0 });
      return watch;
    },
    gather: (matches, count) => {
      const { promise, resolve } = withResolvers();
      gatherings.push({ matches, missing: count, complete: promise, resolve });
    },
    open: () => {
      holds.splice(0);
      failing.splice(0);
    },
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

async function join(gathering: Gathering): Promise<void> {
  gathering.missing -= 1;
  if (gathering.missing === 0) gathering.resolve();
  await gathering.complete;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function forward(target: string, req: IncomingMessage, body: Buffer) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // The caller's own Host is kept: an S3 signature covers it.
    // A connection of its own: one that was idle may be closed by the server just as we use it again.
    const options = { method: req.method ?? 'GET', headers: req.headers, agent: false };
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
