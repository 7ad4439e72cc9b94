/**
 * One day's storage of every customer: the list is written down once, gone through in chunks, and what
 * could not be listed is tried again by itself, then named in a dead letter. The others are finished.
 */
import { continueAsNew, defineQuery, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { Failed } from '../activities/measure-storage.ts';
import { parseDay } from '../domain/period.ts';
import { queryNames } from '../domain/temporal-names.ts';
import type { ProgressOf } from '../engine/contract.ts';
import { housekeepingActivities, listingActivities } from './activity-options.ts';
import type {
  AggregateStorageInput,
  AggregateStorageProgress,
  AggregateStorageTally,
} from '../domain/storage-runs.ts';
import { refuseInvalid } from './failures.ts';
import { nominalDay } from './nominal-time.ts';

/** Minutes before each further try of customers whose listing failed. */
const pausesMinutes = [1, 5, 15];
/** Failed customers that are tried again; what is above goes to a person at once. */
const mostFailed = 1000;

const progressQuery = defineQuery<ProgressOf<'aggregateStorage'>>(queryNames.progress);

type Carried = NonNullable<AggregateStorageInput['carried']>;

export async function aggregateStorage(
  input: AggregateStorageInput = {},
): Promise<AggregateStorageProgress> {
  const day = refuseInvalid(() => parseDay(input.day ?? nominalDay()));
  const state = input.carried ?? begin();
  const progress = (): AggregateStorageProgress => ({
    day,
    ...state.tally,
    failed: state.failed.length + (state.laidAside ?? 0),
    chunksDone: state.nextChunk,
    chunks: state.chunks,
    durationMs: Date.now() - state.startedAtMs,
  });
  setHandler(progressQuery, progress);

  if (input.only !== undefined) state.failed.push(...input.only);
  else if (input.carried === undefined) {
    const run = { day, runKey: state.runKey, scheduled: input.day === undefined };
    const { chunks, failed } = await listingActivities().planDay(run);
    state.chunks = chunks;
    state.laidAside = failed;
  }
  while (state.nextChunk < state.chunks) {
    const order = { day, runKey: state.runKey, chunk: state.nextChunk };
    await count(day, state, await listingActivities().aggregateChunk(order));
    state.nextChunk += 1;
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof aggregateStorage>({ day, carried: state });
    }
  }
  await tryAgain(day, state, input.only === undefined);
  if (state.chunks > 0) {
    await listingActivities().forgetPlan({ day, runKey: state.runKey, chunks: state.chunks });
  }
  return progress();
}

function begin(): Carried {
  return {
    runKey: workflowInfo().firstExecutionRunId,
    chunks: 0,
    nextChunk: 0,
    startedAtMs: Date.now(),
    tally: { customers: 0, bytes: '0', files: 0 },
    failed: [],
  };
}

/** Customers that failed, each by itself; those that go on failing are laid aside. */
async function tryAgain(day: string, state: Carried, pauseFirst: boolean): Promise<void> {
  for (const [round, minutes] of pausesMinutes.entries()) {
    if (state.failed.length === 0) return;
    if (round > 0 || pauseFirst) await sleep(`${minutes} minutes`);
    const customerIds = state.failed;
    state.failed = [];
    const tally = await listingActivities().aggregateCustomers({ day, customerIds });
    await count(day, state, tally);
    const last = round === pausesMinutes.length - 1;
    if (last && tally.failed.length > 0) {
      await housekeepingActivities.layAsideDay({ day, failed: tally.failed });
    }
  }
}

async function count(
  day: string,
  state: Carried,
  counted: AggregateStorageTally & { failed: Failed[] },
): Promise<void> {
  const { customers, bytes, files } = state.tally;
  state.tally = {
    customers: customers + counted.customers,
    bytes: String(BigInt(bytes) + BigInt(counted.bytes)),
    files: files + counted.files,
  };
  const room = mostFailed - state.failed.length;
  state.failed.push(...counted.failed.slice(0, room).map(({ customerId }) => customerId));
  const failed = counted.failed.slice(room);
  if (failed.length === 0) return;
  state.laidAside = (state.laidAside ?? 0) + failed.length;
  await housekeepingActivities.layAsideDay({ day, failed });
}
