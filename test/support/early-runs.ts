/**
 * A real Temporal server that suggests early to go on as new, for workflows whose activities are typed doubles:
 * what a run leaves to the next is met often, and soon.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import { startBareTemporal } from './temporal.ts';
import type { BareTemporal } from './temporal.ts';

/** Served by a worker of its own. */
interface Queue {
  taskQueue: string;
  activities: object;
}

export interface EarlyRuns {
  temporal: () => BareTemporal;
  /** Runs the story beside workers: the first queue's has the workflows, too. */
  withWorkers: (
    queues: readonly [Queue, ...Queue[]],
    story: (temporal: BareTemporal) => Promise<void>,
  ) => Promise<void>;
}

/** One server for the tests of a file: each has queues of its own. `suggestedAt`: events of history. */
export function useEarlyRuns(suggestedAt: number): EarlyRuns {
  let running: { temporal: BareTemporal; connection: NativeConnection; dataDir: string };
  beforeAll(async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'durabill-test-'));
    const temporal = await startBareTemporal({ dataDir }, { suggestedAt });
    const connection = await NativeConnection.connect({ address: temporal.server.address });
    running = { temporal, connection, dataDir };
  });
  afterAll(async () => {
    await running.connection.close();
    await running.temporal.stop();
    await rm(running.dataDir, { recursive: true, force: true });
  });
  return {
    temporal: () => running.temporal,
    withWorkers: async ([main, ...others], story) => {
      const { connection, temporal } = running;
      const workflowBundle = { codePath: inject('workflowBundle') };
      const worker = await Worker.create({
        ...main,
        connection,
        workflowBundle,
        maxCachedWorkflows: 500,
      });
      const workers = [worker];
      for (const queue of others) workers.push(await Worker.create({ ...queue, connection }));
      const inside = workers.reduce<() => Promise<void>>(
        (inner, each) => async () => {
          await each.runUntil(inner());
        },
        async () => {
          await story(temporal);
        },
      );
      await inside();
    },
  };
}
