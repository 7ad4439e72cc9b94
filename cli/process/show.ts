/** A processing as it stands: its row, its files, its delivery, and where to look at it. */
import { BillingError } from '../../domain/errors.ts';
import { filesPerChunk } from '../../domain/files.ts';
import { workflowIds } from '../../domain/ids.ts';
import type { FileResult, ProcessingProgress } from '../../domain/processing.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import type { Processing } from '../../tables/processing-history.ts';
import type { Tables } from '../../tables/open.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { count, facts, state, time } from '../shell/output.ts';
import { note } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { filesTable } from './rows.ts';

export interface ProcessingView {
  processing: Processing;
  files: FileResult[];
  /** Null until the job is completed. */
  delivery: Pick<
    UsageRecord,
    'state' | 'attempts' | 'deliveredAt' | 'nextAttemptAt' | 'error'
  > | null;
  workflowId: string;
  temporalUi?: string;
}

/** Rows of results read at a time. */
const chunksAtOnce = 8;

export async function showProcessing(context: Context, processingId: string): Promise<Answer> {
  const tables = await context.tables();
  const processing = await tables.processings.get(processingId);
  if (processing === undefined) {
    const advice =
      'if it was submitted just now, no worker has taken it up yet (`durabill doctor`)';
    throw new BillingError('not_found', `no processing ${processingId}: ${advice}`);
  }
  const view = await viewProcessing(context, processing);
  const progress =
    processing.status === 'in_progress' ? await progressOf(context, processingId) : undefined;
  return {
    json: { ...view, ...(progress === undefined ? {} : { progress }) },
    text: describeProcessing(view, progress),
  };
}

/** Everything that the tables know of a processing. */
export async function viewProcessing(
  context: Context,
  processing: Processing,
): Promise<ProcessingView> {
  const tables = await context.tables();
  const { processingId } = processing;
  const [files, usage] = await Promise.all([
    readFiles(tables, processing),
    tables.ledger.get(processingId),
  ]);
  const workflowId = workflowIds.processFiles(processingId);
  const temporalUi = linkTo(context, workflowId);
  return {
    processing,
    files,
    delivery: usage === undefined ? null : deliveryOf(usage),
    workflowId,
    ...(temporalUi === undefined ? {} : { temporalUi }),
  };
}

/** Where the embedded stack's UI shows a workflow; elsewhere we do not know the UI's address. */
export function linkTo(context: Context, workflowId: string): string | undefined {
  const { embedded } = context.settings;
  if (embedded === undefined) return undefined;
  const namespace = encodeURIComponent(context.config.TEMPORAL_NAMESPACE);
  return `${embedded.temporalUi}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

/** For people. */
export function describeProcessing(view: ProcessingView, progress?: ProcessingProgress): string {
  const { processing, delivery, files } = view;
  const bytes = processing.totalBytes ?? progress?.bytesDone;
  const shown = facts([
    ['processing', processing.processingId],
    ['customer', processing.customerId],
    ['status', state(processing.status)],
    ['step', progress === undefined ? undefined : describeProgress(progress)],
    ['files', count(processing.fileCount)],
    ['bytes', bytes === undefined ? undefined : count(bytes)],
    ['begun', `${time(processing.createdAt)} UTC`],
    ['completed', processing.completedAt && `${time(processing.completedAt)} UTC`],
    ['failed', processing.failedAt && `${time(processing.failedAt)} UTC`],
    ['error', processing.errorMessage],
    ['delivery', delivery === null ? 'nothing to deliver yet' : describeDelivery(delivery)],
    ['workflow', view.workflowId],
    ['Temporal UI', view.temporalUi],
  ]);
  return files.length === 0 ? shown : `${shown}\n\n${filesTable(files)}`;
}

export function describeProgress({ step, filesDone, fileCount, bytesDone }: ProcessingProgress) {
  return `${step}, ${count(filesDone)} of ${count(fileCount)} files, ${count(bytesDone)} bytes`;
}

function describeDelivery(delivery: NonNullable<ProcessingView['delivery']>): string {
  const { deliveredAt, nextAttemptAt, error } = delivery;
  const when =
    deliveredAt === undefined
      ? nextAttemptAt === undefined
        ? ''
        : `, next attempt ${time(nextAttemptAt)} UTC`
      : ` ${time(deliveredAt)} UTC`;
  return `${state(delivery.state)}${when}${error === undefined ? '' : ` (${error})`}`;
}

function deliveryOf(usage: UsageRecord): NonNullable<ProcessingView['delivery']> {
  const { attempts, deliveredAt, nextAttemptAt, error } = usage;
  return {
    state: usage.state,
    attempts,
    ...(deliveredAt === undefined ? {} : { deliveredAt }),
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    ...(error === undefined ? {} : { error }),
  };
}

async function readFiles({ processings }: Tables, processing: Processing): Promise<FileResult[]> {
  const { processingId, fileCount } = processing;
  const chunkCount = Math.ceil(fileCount / filesPerChunk);
  const chunks = Array.from({ length: chunkCount }, (_, chunk) => chunk);
  const read: FileResult[] = [];
  for (let start = 0; start < chunkCount; start += chunksAtOnce) {
    const some = chunks.slice(start, start + chunksAtOnce);
    const results = some.map(async (chunk) => await processings.results(processingId, chunk));
    read.push(...(await Promise.all(results)).flat());
  }
  return read;
}

async function progressOf(
  context: Context,
  processingId: string,
): Promise<ProcessingProgress | undefined> {
  try {
    const engine = await context.engine();
    return await engine.readProgress('processFiles', workflowIds.processFiles(processingId));
  } catch (error) {
    note(`its progress is not known: ${describeFailure(error).message}`);
    return undefined;
  }
}
