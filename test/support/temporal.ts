/** A real Temporal server for tests, with our search attributes and workers with real activities. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { startTemporal } from '../../dev/stack/temporal.ts';
import type { TemporalOptions } from '../../dev/stack/temporal.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { ensureSearchAttributes } from '../../platform/temporal-setup.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Engine } from '../../engine/engine.ts';
import { createWorkers } from '../../worker/run.ts';
import { createTestDependencies } from './dependencies.ts';
import type { Services } from './services.ts';

export const taskQueue = 'test';

/** The server alone: who wants workers starts them. */
export interface BareTemporal {
  /** Who kills it puts its successor here. */
  server: RunningServer;
  client: Client;
  engine: Engine;
  stop: () => Promise<void>;
}

/** A run is told to go on as new after so many events of history, instead of 4,096. */
export function goingOnAt(suggestedAt: number | undefined): Pick<TemporalOptions, 'dynamicConfig'> {
  if (suggestedAt === undefined) return {};
  return { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': suggestedAt } };
}

export async function startBareTemporal(
  { dataDir }: Pick<Services, 'dataDir'>,
  { suggestedAt }: { suggestedAt?: number } = {},
): Promise<BareTemporal> {
  const server = await startTemporal({ dataDir, ...goingOnAt(suggestedAt) });
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection });
  await ensureSearchAttributes(client);
  const bare: BareTemporal = {
    server,
    client,
    engine: createEngine(client, { taskQueue }),
    stop: async () => {
      await connection.close();
      await bare.server.stop();
    },
  };
  return bare;
}

/** Workers with real activities in this process. */
export async function startTestWorkers(
  bare: BareTemporal,
  services: Services,
  changes: Partial<Dependencies> = {},
): Promise<{ stop: () => Promise<void> }> {
  const native = await NativeConnection.connect({ address: bare.server.address });
  const workers = await createWorkers(
    {
      connection: native,
      namespace: 'default',
      taskQueue,
      workflowBundle: { codePath: inject('workflowBundle') },
      deliveryRatePerSecond: 1000,
      eventRatePerSecond: 1000,
    },
    createTestDependencies(services, { signals: bare.engine, ...changes }).deps,
  );
  const running = Promise.all(workers.map(async (worker) => await worker.run()));
  return {
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await native.close();
    },
  };
}

/** The server and its workers. */
export async function startTestTemporal(
  services: Services,
  changes: Partial<Dependencies> = {},
  early: { suggestedAt?: number } = {},
): Promise<BareTemporal> {
  const bare = await startBareTemporal(services, early);
  const workers = await startTestWorkers(bare, services, changes);
  return {
    ...bare,
    stop: async () => {
      await workers.stop();
      await bare.stop();
    },
  };
}
