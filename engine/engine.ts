/** Everything about starting, telling and asking workflows, over a client of Temporal. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { deliveryLane, deliveryShard, sourceWorkflowId, workflowIds } from '../domain/ids.ts';
import type { ProcessingRequest } from '../domain/processing.ts';
import type { BillCustomerStorageInput } from '../domain/storage-runs.ts';
import { signalNames } from '../domain/temporal-names.ts';
import type { Usage, UsageSettled, UsageSource } from '../domain/usage.ts';
import { announceEvent } from './announce-event.ts';
import {
  isRunning,
  readOutcome,
  readProgress,
  readStartedRequest,
  requireNamespace,
} from './ask.ts';
import type { Outcome } from './ask.ts';
import { createCall } from './call.ts';
import type { Call, Patience } from './call.ts';
import type { ProgressOf, ResultOf, WorkflowName } from './contract.ts';
import { signalWithStart, startWorkflow } from './start.ts';
import type { Place } from './start.ts';

/** A query needs a worker; without one it is not waited for. */
const queryPatienceMs = 3000;

export interface EngineOptions extends Patience {
  taskQueue: string;
}

export type Engine = ReturnType<typeof createEngine>;

/** What activities say to workflows; they are handed these, and know nothing of the client. */
export type Signals = Pick<
  Engine,
  | 'announceUsage'
  | 'requestSweep'
  | 'isBillRunning'
  | 'isProcessingRunning'
  | 'announceEvent'
  | 'tellSource'
  | 'startAlerts'
>;

export function createEngine(client: Client, { taskQueue, ...patience }: EngineOptions) {
  const place: Place = { client, taskQueue };
  const call = createCall(client, patience);
  return {
    ...createStarts(place, call),
    ...createSignals(place, call),
    ...createAsks(client, call),
  };
}

/** What a person or a demand starts; schedules and other workflows start the rest. */
function createStarts(place: Place, call: Call) {
  return {
    /** `started` is false when that id was started before, running or not (FM1). */
    startProcessing: async (
      request: ProcessingRequest,
    ): Promise<{ workflowId: string; started: boolean }> => {
      const workflowId = workflowIds.processFiles(request.processingId);
      const started = await call(
        async () => await unlessStarted(startWorkflow(place, 'processFiles', request)),
      );
      return { workflowId, started };
    },

    /**
     * A day's run; one that runs already is answered as it is. With a customer it measures that one
     * alone, after its dead letter was looked at.
     */
    startDay: async ({
      day,
      customerId,
    }: {
      day: string;
      customerId?: string;
    }): Promise<string> => {
      const input = customerId === undefined ? { day } : { day, only: [customerId] as [string] };
      return await call(async () => idOf(await startWorkflow(place, 'aggregateStorage', input)));
    },

    /** The bills of a month; a run of it that runs already is answered as it is. */
    startMonth: async (order: { month: string }): Promise<string> => {
      return await call(async () => idOf(await startWorkflow(place, 'billStorage', order)));
    },

    /** One customer's month again, after its dead letter; false when it runs or has succeeded. */
    startBill: async (order: BillCustomerStorageInput): Promise<boolean> => {
      return await call(
        async () => await unlessStarted(startWorkflow(place, 'billCustomerStorage', order)),
      );
    },

    /** The sender of a line's alerts; one that runs already comes to all that waits by itself. */
    startAlerts: async (line: string): Promise<string> => {
      return await call(async () => idOf(await startWorkflow(place, 'sendAlerts', { line })));
    },

    /** A look for events that Stripe could not deliver, since a day (UTC) or of the last three. */
    startCatchUp: async (since: string | undefined): Promise<string> => {
      const input = since === undefined ? {} : { since };
      return await call(async () => idOf(await startWorkflow(place, 'catchUpWebhooks', input)));
    },
  };
}

function createSignals(place: Place, call: Call) {
  const { client } = place;
  return {
    /** Tells the delivery of a record's shard that it waits. */
    announceUsage: async ({
      identifier,
      customerId,
      meter,
    }: Pick<Usage, 'identifier' | 'customerId' | 'meter'>): Promise<void> => {
      const shard = deliveryShard(customerId, meter);
      const arrival = { identifier, lane: deliveryLane(customerId, meter) };
      const signal = [signalNames.usageArrived, arrival] as const;
      await call(async () => await signalWithStart(place, 'deliverUsage', { shard }, [...signal]));
    },

    /** Asks a shard's delivery to look into the ledger for what was left behind. */
    requestSweep: async (shard: number): Promise<void> => {
      const signal = signalNames.sweep;
      await call(async () => await signalWithStart(place, 'deliverUsage', { shard }, [signal]));
    },

    /** Tells a line's workflow of an event; the same event twice is one signal of a run. */
    announceEvent: async (line: string, eventId: string, again = false): Promise<void> => {
      await call(async () => await announceEvent(place, line, { eventId, again }));
    },

    /** Tells the sender of a line's alerts that one waits. */
    announceAlert: async (line: string): Promise<void> => {
      const signal = signalNames.alertRaised;
      await call(async () => await signalWithStart(place, 'sendAlerts', { line }, [signal]));
    },

    /**
     * Tells the workflow that made the usage how its delivery stands; it may have ended, and that is
     * fine. A storage bill that had given up is started once more when its usage has arrived after
     * all, so that its days are marked without anyone's help.
     */
    tellSource: async (source: UsageSource, settled: UsageSettled): Promise<void> => {
      const signal = signalNames.usageSettled;
      const tell = async (): Promise<unknown> => {
        if (source.kind === 'storage' && settled.state === 'delivered') {
          const [customerId = '', month = ''] = source.id.split('/');
          const order = { customerId, month };
          return await signalWithStart(place, 'billCustomerStorage', order, [signal, settled]);
        }
        const handle = client.workflow.getHandle(sourceWorkflowId(source));
        return await handle.signal<[UsageSettled]>(signal, settled);
      };
      await call(async () => {
        await tell().catch((error: unknown) => {
          if (!hasEnded(error)) throw error;
        });
      });
    },

    isProcessingRunning: async (processingId: string): Promise<boolean> => {
      const workflowId = workflowIds.processFiles(processingId);
      return await call(async () => await isRunning(client, workflowId));
    },

    isBillRunning: async (customerId: string, month: string): Promise<boolean> => {
      const workflowId = workflowIds.billCustomerStorage(customerId, month);
      return await call(async () => await isRunning(client, workflowId));
    },
  };
}

function createAsks(client: Client, call: Call) {
  return {
    /** Asked before anything is changed: nothing is half done just because Temporal is away. */
    requireNamespace: async (): Promise<void> =>
      await call(async () => await requireNamespace(client)),
    isRunning: async (workflowId: string): Promise<boolean> =>
      await call(async () => await isRunning(client, workflowId)),
    readProgress: async <Name extends WorkflowName>(
      _name: Name,
      workflowId: string,
    ): Promise<ProgressOf<Name>> =>
      await call(async () => await readProgress<Name>(client, workflowId), queryPatienceMs),
    readOutcome: async <Name extends WorkflowName>(
      _name: Name,
      workflowId: string,
    ): Promise<Outcome<ResultOf<Name>>> =>
      await call(async () => await readOutcome<Name>(client, workflowId)),
    readStartedRequest: async (processingId: string): Promise<ProcessingRequest | undefined> =>
      await call(async () => await readStartedRequest(client, processingId)),
  };
}

async function unlessStarted(starting: Promise<unknown>): Promise<boolean> {
  try {
    await starting;
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}

function idOf({ workflowId }: { workflowId: string }): string {
  return workflowId;
}

function hasEnded(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError
  );
}
