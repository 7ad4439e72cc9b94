/** How an HTTP server ends; patience is an hour, so what waits for it does not end in this test. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { gracefulClose } from '../../platform/graceful-close.ts';

const anHourMs = 3_600_000;
const request = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';

async function startServer(listener: RequestListener) {
  const server = createServer(listener);
  const close = gracefulClose(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, close, port };
}

/** A caller that keeps its end open, whatever it was answered. */
async function call(port: number, words: string) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(words);
  return socket;
}

test.each([
  ['nothing', ''],
  ['half a request', 'GET / HTTP/1.1\r\nHo'],
])('a caller that has said %s is not waited for', async (_what, words) => {
  const { server, close, port } = await startServer(() => undefined);
  const opened = once(server, 'connection');
  const socket = await call(port, words);
  await opened;
  expect(await close(anHourMs)).toBe(0);
  socket.destroy();
});

test('a caller whose request was answered and who keeps the connection is not waited for', async () => {
  const { close, port } = await startServer((_req, res) => res.end('done'));
  const socket = await call(port, request);
  await once(socket, 'data');
  expect(await close(anHourMs)).toBe(0);
  socket.destroy();
});

test('a request under way is answered before the server ends', async () => {
  let answer = (): void => undefined;
  const { server, close, port } = await startServer((_req, res) => {
    answer = () => res.end('done');
  });
  const asked = once(server, 'request');
  const socket = await call(port, request);
  await asked;
  const closed = close(anHourMs);
  answer();
  expect(await closed).toBe(0);
  expect((await text(socket)).endsWith('done')).toBe(true);
});

test('a request that hangs is cut off, and counted', async () => {
  const { server, close, port } = await startServer(() => undefined);
  const asked = once(server, 'request');
  const socket = await call(port, request);
  socket.on('error', () => undefined);
  await asked;
  expect(await close(1)).toBe(1);
  socket.destroy();
});
