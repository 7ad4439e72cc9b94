/** `durabill process submit`: checks the order, submits it once, and says whether it was there before. */
import { randomUUID } from 'node:crypto';
import { parseFiles } from '../../domain/files.ts';
import { parseCustomerId, parseProcessingId, workflowIds } from '../../domain/ids.ts';
import type { ProcessingRequest } from '../../domain/processing.ts';
import { submitOnce } from '../../operations/processings.ts';
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
    const { customers, processings } = await context.tables();
    const customerKnown = (await customers.get(customerId)) !== undefined;
    if (!customerKnown) {
      note(`warning: ${customerId} is not among the customers (\`durabill customers add\`)`);
    }
    const started = await submitOnce(
      { processings, engine: async () => await context.engine() },
      order,
    );
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
