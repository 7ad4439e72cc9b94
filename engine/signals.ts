/** What activities say to workflows. They are handed these functions, and know nothing of the client. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { sourceWorkflowId, workflowIds } from '../domain/ids.ts';
import { signalNames, workflowTypes } from '../domain/temporal-names.ts';
import type { Usage, UsageSettled, UsageSource } from '../domain/usage.ts';
import { announceEvent } from './announce-event.ts';
import { announceUsage, requestSweep, storageBillOptions } from './starts.ts';

export interface Signals {
  announceUsage: (usage: Pick<Usage, 'identifier' | 'customerId' | 'meter'>) => Promise<void>;
  requestSweep: (shard: number) => Promise<void>;
  /** Tells the workflow that made the usage how its delivery stands; it may have ended, and that is fine. */
  isBillRunning: (customerId: string, month: string) => Promise<boolean>;
  /** Tells a line's workflow of an event; the same event twice is one signal of a run. */
  announceEvent: (line: string, eventId: string, again?: boolean) => Promise<void>;
  tellSource: (source: UsageSource, settled: UsageSettled) => Promise<void>;
}

export function createSignals(client: Client, taskQueue: string): Signals {
  return {
    announceUsage: async (usage) => {
      await announceUsage(client, taskQueue, usage);
    },
    requestSweep: async (shard) => {
      await requestSweep(client, taskQueue, shard);
    },
    isBillRunning: async (customerId, month) =>
      await isRunning(client, workflowIds.billCustomerStorage(customerId, month)),
    announceEvent: async (line, eventId, again = false) => {
      await announceEvent(client, taskQueue, { line, eventId, again });
    },
    tellSource: async (source, settled) => {
      await tellSource(client, taskQueue, source, settled);
    },
  };
}

/**
 * Signals the workflow that made the usage. A storage bill that had given up is started once more when
 * its usage has arrived after all, so that its days are marked without anyone's help.
 */
async function tellSource(
  client: Client,
  taskQueue: string,
  source: UsageSource,
  settled: UsageSettled,
): Promise<void> {
  const workflowId = sourceWorkflowId(source);
  try {
    if (source.kind === 'storage' && settled.state === 'delivered') {
      const [customerId = '', month = ''] = source.id.split('/');
      await client.workflow.signalWithStart(workflowTypes.billCustomerStorage, {
        ...storageBillOptions(customerId, month),
        taskQueue,
        args: [{ customerId, month }],
        signal: signalNames.usageSettled,
        signalArgs: [settled],
      });
      return;
    }
    await client.workflow.getHandle(workflowId).signal(signalNames.usageSettled, settled);
  } catch (error) {
    const ended =
      error instanceof WorkflowNotFoundError ||
      error instanceof WorkflowExecutionAlreadyStartedError;
    if (!ended) throw error;
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
