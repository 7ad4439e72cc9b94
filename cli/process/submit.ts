/** `durabill process submit`: checks the order, starts it once, and says whether it was there before. */
import { randomUUID } from 'node:crypto';
import { BillingError } from '../../domain/errors.ts';
import { parseFiles } from '../../domain/files.ts';
import { parseCustomerId, parseProcessingId, workflowIds } from '../../domain/ids.ts';
import type { ProcessingRequest } from '../../domain/processing.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Context } from '../shell/context.ts';
import { readLines } from '../shell/lines.ts';
import { facts } from '../shell/output.ts';
import { note } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { linkTo } from './show.ts';

export interface SubmitOptions {
  customer: string;
  file?: string[];
  filesFrom?: string;
  id?: string;
  wait?: boolean;
}

/** Throws BillingError for whatever the job may not name. */
export async function parseOrder(options: SubmitOptions): Promise<ProcessingRequest> {
  const { file = [], filesFrom, id } = options;
  const customerId = parseCustomerId(options.customer);
  // Asking again without an id is another job: the person's act is the fact that the id stands for.
  const processingId = id === undefined ? `prc_${randomUUID()}` : parseProcessingId(id);
  const listed = filesFrom === undefined ? [] : await readLines(filesFrom);
  const files = parseFiles(customerId, processingId, [...file, ...listed]);
  return { processingId, customerId, files };
}

export function submit(wait: boolean) {
  return async (context: Context, order: ProcessingRequest): Promise<Answer> => {
    const { processingId, customerId } = order;
    const { customers } = await context.tables();
    const customerKnown = (await customers.get(customerId)) !== undefined;
    if (!customerKnown) {
      note(`warning: ${customerId} is not among the customers (\`durabill customers add\`)`);
    }
    const started = await startOnce(context, order);
    if (!started) note(`${processingId} was submitted before: it is the same job`);
    if (wait) {
      const { waitForProcessing } = await import('./wait.ts');
      return await waitForProcessing(context, processingId);
    }
    const workflowId = workflowIds.processFiles(processingId);
    const temporalUi = linkTo(context, workflowId);
    const answer = { processingId, workflowId, started, customerKnown, files: order.files.length };
    return {
      json: { ...answer, ...(temporalUi === undefined ? {} : { temporalUi }) },
      text: facts([
        ['processing', processingId],
        ['workflow', workflowId],
        ['Temporal UI', temporalUi],
        ['next', `durabill process show ${processingId}`],
      ]),
    };
  };
}

/** False when the same job was started before; BillingError `conflict` when another one was (FM1). */
async function startOnce(context: Context, order: ProcessingRequest): Promise<boolean> {
  const { processingId } = order;
  const { processings } = await context.tables();
  const row = await processings.get(processingId);
  if (row !== undefined) {
    const { digestFiles } = await import('../../platform/files-digest.ts');
    if (row.customerId !== order.customerId) throw otherJob(processingId, 'another customer');
    if (row.filesDigest !== digestFiles(order.files)) throw otherJob(processingId, 'other files');
    // It has ended; Temporal may have forgotten it and would run it once more.
    if (row.status !== 'in_progress') return false;
  }
  const engine = await context.engine();
  const { started } = await engine.startProcessing(order);
  if (!started && row === undefined) await compareWithStarted(engine, order);
  return started && row === undefined;
}

/** No worker has written the row yet: the workflow's own input tells what was asked for. */
async function compareWithStarted(engine: Engine, order: ProcessingRequest): Promise<void> {
  const before = await engine.readStartedRequest(order.processingId);
  if (before === undefined) return;
  if (before.customerId !== order.customerId) {
    throw otherJob(order.processingId, 'another customer');
  }
  if (JSON.stringify(before.files) !== JSON.stringify(order.files)) {
    throw otherJob(order.processingId, 'other files');
  }
}

function otherJob(processingId: string, what: string): BillingError {
  return new BillingError(
    'conflict',
    `processing ${processingId} was submitted before with ${what}: choose another --id`,
  );
}
