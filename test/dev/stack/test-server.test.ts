import { expect, test } from 'vitest';
import { startChild } from '../../../dev/stack/child.ts';
import { pickFreePort } from '../../../dev/stack/free-port.ts';
import { isListening } from '../../../dev/stack/probe.ts';
import { baseEnvironment, developmentEnvironment } from '../../../dev/environment.ts';
import { resolveTool } from '../../../dev/tools/resolve.ts';
import { temporaryFolder } from '../tools/fake-tool.ts';

test("the time-skipping server's script listens within the 5 s that the SDK gives it", async () => {
  const { command } = await resolveTool('temporal-test-server');
  const dataDir = await temporaryFolder();
  const port = await pickFreePort();
  const server = await startChild({
    name: 'temporal-test-server',
    command,
    args: [String(port)],
    env: baseEnvironment(developmentEnvironment()),
    dataDir,
    cwd: dataDir,
    port,
    probe: async () => await isListening(port),
    readyTimeoutMs: 5_000,
  });
  // The script becomes Java itself, so that stopping it stops Java.
  await server.stop();
  expect(await isListening(port)).toBe(false);
});
