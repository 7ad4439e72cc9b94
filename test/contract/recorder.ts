/** Stands in front of a server, passes everything on, and remembers what was asked. */
import { createServer, request as forwardRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Recorded {
  method: string;
  /** With its query. */
  path: string;
  body: string;
  headers: Record<string, string>;
}

export interface Recorder {
  url: string;
  requests: Recorded[];
  stop: () => Promise<void>;
}

const kept = ['authorization', 'content-type', 'idempotency-key', 'stripe-version'];

/** `target` and the recorder are on 127.0.0.1. */
export async function startRecorder(target: string): Promise<Recorder> {
  const requests: Recorded[] = [];
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const body = await buffer(req);
    const { method = 'GET', url = '/' } = req;
    const headers = Object.fromEntries(
      kept.flatMap((name) => {
        const value = req.headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    requests.push({ method, path: url, body: body.toString(), headers });
    const { host: _host, ...passed } = req.headers;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      forwardRequest(new URL(url, target), { method, headers: passed }, resolve)
        .on('error', reject)
        .end(body);
    });
    res.writeHead(answer.statusCode ?? 502, answer.headers).end(await buffer(answer));
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
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The parameters of a request, wherever they travel. */
export function parametersOf({ method, path, body }: Recorded): URLSearchParams {
  return method === 'POST' ? new URLSearchParams(body) : new URL(path, 'http://any').searchParams;
}

/** The same request with other parameters. */
export function withParameters(request: Recorded, parameters: URLSearchParams): Recorded {
  if (request.method === 'POST') return { ...request, body: parameters.toString() };
  const { pathname } = new URL(request.path, 'http://any');
  const query = parameters.toString();
  return { ...request, path: query === '' ? pathname : `${pathname}?${query}` };
}

/** Sends a recorded request to another server, without the key under which its answer was saved. */
export async function send(
  url: string,
  request: Recorded,
): Promise<{ status: number; text: string }> {
  const { 'idempotency-key': _key, ...headers } = request.headers;
  const answer = await fetch(`${url}${request.path}`, {
    method: request.method,
    headers,
    ...(request.method === 'POST' ? { body: request.body } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}
