import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { requireReachable } from '../../../dev/tools/reach.ts';

test('a host that listens is reachable; a closed port is not, and it is said why', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await requireReachable(`http://127.0.0.1:${port}/file`);
  await new Promise((resolve) => server.close(resolve));
  await expect(requireReachable(`http://127.0.0.1:${port}/file`)).rejects.toThrow(
    /^127\.0\.0\.1 cannot be reached \(connect ECONNREFUSED/,
  );
});

test('a network that swallows what is sent is given up after the time', async () => {
  // TEST-NET-1 (RFC 5737): nobody answers there; some machines say so at once.
  await expect(requireReachable('https://192.0.2.1/file', 100)).rejects.toThrow(
    /^192\.0\.2\.1 cannot be reached \(/,
  );
});
