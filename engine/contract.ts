/**
 * The contract of every workflow: what it takes and answers, what it can be told and asked, and how it is
 * started: its id, whether that id may run again, its timeout, what it is found by. One entry a workflow.
 * Workflows read this file too: it imports only the domain, and nothing here talks to Temporal.
 */
import type {
  SendAlertsInput,
  SendAlertsProgress,
  SweepAlertsResult,
} from '../domain/alert-runs.ts';
import type {
  DeliverUsageInput,
  DeliveryProgress,
  DeliveryTally,
  UsageArrival,
} from '../domain/delivery-runs.ts';
import type {
  CatchUpInput,
  CatchUpResult,
  CustomerInput,
  CustomerProgress,
  EventArrival,
} from '../domain/event-runs.ts';
import { workflowIds } from '../domain/ids.ts';
import type {
  ProcessingOutcome,
  ProcessingProgress,
  ProcessingRequest,
} from '../domain/processing.ts';
import type {
  AggregateStorageInput,
  AggregateStorageProgress,
  BillCustomerStorageInput,
  BillCustomerStorageResult,
  BillStorageInput,
  BillStorageProgress,
} from '../domain/storage-runs.ts';
import { searchAttributes } from '../domain/temporal-names.ts';
import type { workflowTypes } from '../domain/temporal-names.ts';
import type { UsageSettled } from '../domain/usage.ts';

export { queryNames, signalNames, workflowTypes } from '../domain/temporal-names.ts';

/** As both the client and a parent workflow take them; none is left to a default. */
interface StartOptions {
  workflowId: string;
  /** Of an id whose run has ended. */
  workflowIdReusePolicy: 'ALLOW_DUPLICATE' | 'REJECT_DUPLICATE';
  /** Of an id that runs. A signal with start always takes the run that is there. */
  workflowIdConflictPolicy: 'FAIL' | 'USE_EXISTING';
  /** Of all its runs together; without one it ends by itself. */
  workflowExecutionTimeout?: '1 day';
  typedSearchAttributes: SearchAttribute[];
}

type SearchAttribute =
  | { key: { name: string; type: 'KEYWORD' }; value: string }
  | { key: { name: string; type: 'INT' }; value: number };

/** Types only: what a workflow takes, answers, tells when asked for its progress, and can be told. */
interface Story {
  input: unknown;
  result: unknown;
  progress?: unknown;
  /** By name, the arguments of each signal. */
  signals?: Record<string, unknown[]>;
}

interface Contract<S extends Story, Started extends S['input']> {
  start: (input: Started) => StartOptions;
  /** For the compiler alone. */
  story?: S;
}

/** `Started`: what a start must say, when a schedule's run or a run that goes on says less or more. */
function contract<S extends Story, Started extends S['input'] = S['input']>(
  start: (input: Started) => StartOptions,
): Contract<S, Started> {
  return { start };
}

const customerIs = (value: string): SearchAttribute => ({
  key: { name: 'CustomerId', type: searchAttributes.CustomerId },
  value,
});
const billedMonthIs = (value: string): SearchAttribute => ({
  key: { name: 'BillingMonth', type: searchAttributes.BillingMonth },
  value,
});
/** What runs already is taken as it is. */
const joined = (workflowId: string, ...typedSearchAttributes: SearchAttribute[]): StartOptions => ({
  workflowId,
  workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  workflowIdConflictPolicy: 'USE_EXISTING',
  typedSearchAttributes,
});
/** A line is a customer's, or of what names none. */
const customerOf = (line: string): SearchAttribute[] =>
  line.startsWith('cus_') ? [customerIs(line)] : [];

const contracts = {
  /** An id is one job for good, running or not (FM1). */
  processFiles: contract<{
    input: ProcessingRequest;
    result: ProcessingOutcome;
    progress: ProcessingProgress;
    signals: { usageSettled: [UsageSettled] };
  }>(({ processingId, customerId, files }) => ({
    workflowId: workflowIds.processFiles(processingId),
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    typedSearchAttributes: [
      customerIs(customerId),
      { key: { name: 'FileCount', type: searchAttributes.FileCount }, value: files.length },
    ],
  })),

  deliverUsage: contract<{
    input: DeliverUsageInput;
    result: DeliveryTally;
    progress: DeliveryProgress;
    signals: { usageArrived: [UsageArrival]; sweep: [] };
  }>(({ shard }) =>
    joined(workflowIds.deliverUsage(shard), {
      key: { name: 'DeliveryShard', type: searchAttributes.DeliveryShard },
      value: shard,
    }),
  ),

  sweepUsage: contract<{ input: undefined; result: { woken: number[] } }>(() =>
    joined(workflowIds.sweepUsage()),
  ),

  /** Of one customer it is a run of its own, after its dead letter was looked at. */
  aggregateStorage: contract<
    {
      input: AggregateStorageInput;
      result: AggregateStorageProgress;
      progress: AggregateStorageProgress;
    },
    { day: string; only?: [customerId: string] }
  >(({ day, only }) =>
    only === undefined
      ? joined(workflowIds.aggregateStorage(day))
      : joined(workflowIds.aggregateCustomerStorage(day, only[0]), customerIs(only[0])),
  ),

  billStorage: contract<
    { input: BillStorageInput; result: BillStorageProgress; progress: BillStorageProgress },
    { month: string; window?: number }
  >(({ month }) => joined(workflowIds.billStorage(month), billedMonthIs(month))),

  /** Once more after any end: its bill's row decides what is left to do (SB15, SB25). */
  billCustomerStorage: contract<{
    input: BillCustomerStorageInput;
    result: BillCustomerStorageResult;
    signals: { usageSettled: [UsageSettled] };
  }>(({ customerId, month }) => ({
    workflowId: workflowIds.billCustomerStorage(customerId, month),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    workflowExecutionTimeout: '1 day',
    typedSearchAttributes: [customerIs(customerId), billedMonthIs(month)],
  })),

  customer: contract<{
    input: CustomerInput;
    result: CustomerProgress;
    progress: CustomerProgress;
    signals: { stripeEvent: [EventArrival] };
  }>(({ line }) => joined(workflowIds.customer(line), ...customerOf(line))),

  sweepWebhooks: contract<{ input: undefined; result: { told: number; waiting: number } }>(() =>
    joined(workflowIds.sweepWebhooks()),
  ),

  repairReservations: contract<{ input: undefined; result: { repaired: number } }>(() =>
    joined(workflowIds.repairReservations()),
  ),

  /** Alerts, one after the other (GA16). */
  sendAlerts: contract<{
    input: SendAlertsInput;
    result: SendAlertsProgress;
    progress: SendAlertsProgress;
    signals: { alertRaised: [] };
  }>(({ line }) => joined(workflowIds.sendAlerts(line), ...customerOf(line))),

  sweepAlerts: contract<{ input: undefined; result: SweepAlertsResult }>(() =>
    joined(workflowIds.sweepAlerts()),
  ),

  catchUpWebhooks: contract<{ input: CatchUpInput; result: CatchUpResult }>(({ since }) =>
    joined(workflowIds.catchUpWebhooks(since)),
  ),
} satisfies Record<keyof typeof workflowTypes, unknown>;

export type WorkflowName = keyof typeof contracts;
type StoryOf<Name extends WorkflowName> = NonNullable<(typeof contracts)[Name]['story']>;
export type InputOf<Name extends WorkflowName> = StoryOf<Name>['input'];
export type ResultOf<Name extends WorkflowName> = StoryOf<Name>['result'];
export type ProgressOf<Name extends WorkflowName> =
  StoryOf<Name> extends { progress: infer Progress } ? Progress : never;
/** What a start must say; a run that goes on as new says more. */
export type StartOf<Name extends WorkflowName> = Parameters<(typeof contracts)[Name]['start']>[0];
/** As the client's `start` and `getHandle` want to know it. */
export type WorkflowOf<Name extends WorkflowName> = (
  input: InputOf<Name>,
) => Promise<ResultOf<Name>>;
type SignalsOf<Name extends WorkflowName> =
  StoryOf<Name> extends { signals: infer Signals } ? Signals : never;
export type SignalOf<Name extends WorkflowName> = keyof SignalsOf<Name> & string;
export type SignalArgs<
  Name extends WorkflowName,
  Signal extends SignalOf<Name>,
> = SignalsOf<Name>[Signal] extends infer Args extends unknown[] ? Args : never;

export function startOptions<Name extends WorkflowName>(
  name: Name,
  input: StartOf<Name>,
): StartOptions {
  const start = contracts[name].start as (input: StartOf<Name>) => StartOptions;
  return start(input);
}
