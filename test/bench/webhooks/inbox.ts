/** What became of the events: the rows of the inbox, and why one is not applied. */
import { z } from 'zod';
import { workflowIds } from '../../../domain/ids.ts';
import { tableSchemas } from '../../../tables/schema.ts';
import { allItems } from '../support/all-items.ts';
import type { BenchStack } from '../support/stack.ts';

const rowSchema = z.object({
  eventId: z.string(),
  customerId: z.string(),
  status: z.string(),
  receivedAt: z.string(),
  settledAt: z.string().optional(),
});
export type InboxRow = z.infer<typeof rowSchema>;

/** Every row of the inbox. */
export async function readInbox({ tables }: Pick<BenchStack, 'tables'>): Promise<InboxRow[]> {
  const rows: InboxRow[] = [];
  for await (const item of allItems(tables, tableSchemas.webhookEvents.name)) {
    rows.push(rowSchema.parse(item));
  }
  return rows;
}

/** "evt_1 is received; applyEvents, attempt 3, after: …" */
export async function explain(
  { temporal }: Pick<BenchStack, 'temporal'>,
  { eventId, customerId, status }: InboxRow,
): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowIds.customer(customerId));
  const { raw, status: workflow } = await handle.describe();
  const pending = (raw.pendingActivities ?? []).map(
    ({ activityType, attempt, lastFailure }) =>
      `${activityType?.name ?? ''}, attempt ${attempt ?? 0}, after: ${lastFailure?.message ?? ''}` +
      ` ${lastFailure?.cause?.message ?? ''}`,
  );
  return [`${eventId} is ${status}, its workflow ${workflow.name}`, ...pending].join('; ');
}
