/** How a customer’s processings stand, for the customer. */
import { BillingError } from '../domain/errors.ts';
import { parseProcessingId, workflowIds } from '../domain/ids.ts';
import { dayOf, monthOf, previousMonth } from '../domain/period.ts';
import type { ProcessingProgress, ProcessingStatus } from '../domain/processing.ts';
import type { Engine } from '../engine/engine.ts';
import type { Processing, ProcessingHistory } from '../tables/processing-history.ts';
import type { Spending } from '../tables/spending.ts';

export interface RunDependencies {
  processings: Pick<ProcessingHistory, 'get' | 'page'>;
  spending: Pick<Spending, 'get'>;
  engine: Pick<Engine, 'readProgress'>;
  now: () => Date;
}

/** A processing as its customer is told of it. */
export interface Run {
  processingId: string;
  status: ProcessingStatus;
  costCents?: number;
  fileCount?: number;
  progress?: Pick<ProcessingProgress, 'step' | 'filesDone' | 'bytesDone'>;
  totalBytes?: number;
  createdAt: string;
  endedAt?: string;
  error?: string;
}

/** Throws BillingError `not_found`, for another customer’s as well (GA6). */
export async function findRun(deps: RunDependencies, customerId: string, id: string): Promise<Run> {
  const processingId = parseProcessingId(id);
  const row = await deps.processings.get(processingId);
  if (row?.customerId === customerId) {
    const run = runOf(row);
    return row.status === 'in_progress'
      ? { ...run, ...(await progressOf(deps, processingId)) }
      : run;
  }
  const begun = row === undefined ? await findBegun(deps, customerId, processingId) : undefined;
  if (begun !== undefined) return begun;
  throw new BillingError('not_found', `there is no processing ${processingId}`);
}

export async function listRuns(
  { processings }: Pick<RunDependencies, 'processings'>,
  customerId: string,
  limit: number,
  after: { processingId: string; createdAt: string } | undefined,
): Promise<{ casts: Run[]; next?: { processingId: string; createdAt: string } }> {
  const { rows, next } = await processings.page(customerId, limit, after);
  return { casts: rows.map(runOf), ...(next === undefined ? {} : { next }) };
}

/** Cast a moment ago: no worker has written its row yet, but its cents are set aside. */
async function findBegun(
  { spending, now }: RunDependencies,
  customerId: string,
  processingId: string,
): Promise<Run | undefined> {
  const month = monthOf(dayOf(now().getTime()));
  for (const period of [month, previousMonth(month)]) {
    const entry = (await spending.get(customerId, period))?.open[processingId];
    if (entry === undefined) continue;
    return { processingId, status: 'in_progress', costCents: entry.cents, createdAt: entry.at };
  }
  return undefined;
}

/** Asked of the workflow itself; without a worker it is left out. */
async function progressOf({ engine }: RunDependencies, processingId: string) {
  try {
    const workflowId = workflowIds.processFiles(processingId);
    const { step, filesDone, bytesDone } = await engine.readProgress('processFiles', workflowId);
    return { progress: { step, filesDone, bytesDone } };
  } catch {
    return {};
  }
}

function runOf(row: Processing): Run {
  const { processingId, status, fileCount, totalBytes, createdAt, errorMessage } = row;
  const cost = row.costCents ?? (status === 'failed' ? 0 : row.reservedCents);
  const endedAt = row.completedAt ?? row.failedAt;
  return {
    processingId,
    status,
    fileCount,
    createdAt,
    // One that was not cast has no price here.
    ...(row.reservedCents === undefined || cost === undefined ? {} : { costCents: cost }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
    ...(endedAt === undefined ? {} : { endedAt }),
    // Of one that completed it tells how its delivery to Stripe goes, which is ours to mend.
    ...(status !== 'failed' || errorMessage === undefined ? {} : { error: errorMessage }),
  };
}
