/** A real Temporal server for tests, with our search attributes and workers with real activities. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { startTemporal } from '../../dev/stack/temporal.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { ensureSearchAttributes } from '../../platform/temporal-setup.ts';
import { createSignals } from '../../platform/temporal.ts';
import { createWorkers } from '../../worker/run.ts';
import { createTestDependencies } from './dependencies.ts';
import type { Services } from './services.ts';

export const taskQueue = 'test';

export interface TestTemporal {
  server: RunningServer;
  client: Client;
  stop: () => Promise<void>;
}

export async function startTestTemporal(services: Services): Promise<TestTemporal> {
  const server = await startTemporal({ dataDir: services.dataDir });
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  await ensureSearchAttributes(client);
  const { deps } = createTestDependencies(services, { signals: createSignals(client, taskQueue) });
  const workers = await createWorkers(
    {
      connection: native,
      namespace: 'default',
      taskQueue,
      workflowBundle: { codePath: inject('workflowBundle') },
      deliveryRatePerSecond: 1000,
    },
    deps,
  );
  const running = Promise.all(workers.map(async (worker) => await worker.run()));
  return {
    server,
    client,
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
      await native.close();
      await server.stop();
    },
  };
}
