/** Waits for a processing to end, and shows how far it is. */
import { BillingError } from '../../domain/errors.ts';
import { workflowIds } from '../../domain/ids.ts';
import type { Context } from '../shell/context.ts';
import { follow } from '../shell/follow.ts';
import type { Answer } from '../shell/perform.ts';
import { describeProcessing, describeProgress, viewProcessing } from './show.ts';

/** Its files and its delivery once the workflow has ended; `failed` with the reason when the job did. */
export async function waitForProcessing(context: Context, processingId: string): Promise<Answer> {
  const engine = await context.engine();
  const workflowId = workflowIds.processFiles(processingId);
  await follow(engine, {
    workflowId,
    goesOn: `The job goes on: durabill process show ${processingId}`,
    progress: async () => describeProgress(await engine.readProgress('processFiles', workflowId)),
  });
  const { processings } = await context.tables();
  const processing = await processings.get(processingId);
  if (processing === undefined) {
    const reason = 'its workflow ended before it began: look at it in the Temporal UI';
    throw new BillingError('conflict', `processing ${processingId} failed: ${reason}`);
  }
  const view = await viewProcessing(context, processing);
  const answer = { json: view, text: describeProcessing(view) };
  if (processing.status === 'completed') return answer;
  const reason = processing.errorMessage ?? 'its workflow was ended from outside';
  return { ...answer, failed: `processing ${processingId} failed: ${reason}` };
}
