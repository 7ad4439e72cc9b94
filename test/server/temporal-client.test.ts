import { once } from 'node:events';
import { createServer } from 'node:http2';
import { expect, test } from 'vitest';
import { parseConfig } from '../../platform/config.ts';
import { createTemporalClient } from '../../platform/temporal.ts';

/** gRPC's status for a server that cannot answer now: the SDK tries again. */
const unavailable = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' };

/** An error that the SDK's timer throws reaches nobody: it would fail this whole run. */
test('a call that waits for its next try ends as cancelled when the connection is closed', async () => {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.respond(unavailable, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const config = parseConfig({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  const client = createTemporalClient(config, {});
  const asked = client.workflowService.getSystemInfo({}).catch((error: unknown) => error);
  await once(server, 'stream');
  await client.connection.close();
  expect(await asked).toMatchObject({ code: 1, details: 'the connection was closed' });
  server.close();
});
