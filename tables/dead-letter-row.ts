/** A dead letter as it is stored: what it is about follows from its kind. */
import { z } from 'zod';
import { deadLetterStatuses } from '../domain/dead-letters.ts';

const factsSchema = z.object({
  id: z.string(),
  customerId: z.string(),
  error: z.string(),
  attempts: z.number().int(),
  status: z.enum(deadLetterStatuses),
  createdAt: z.string(),
  updatedAt: z.string(),
  discardReason: z.string().exactOptional(),
  settleReason: z.string().exactOptional(),
  record: z.record(z.string(), z.unknown()),
});
const aboutUsage = factsSchema.extend({ subject: z.object({ identifier: z.string() }) });
const aboutDay = factsSchema.extend({ subject: z.object({ day: z.string() }) });
const aboutMonth = factsSchema.extend({ subject: z.object({ month: z.string() }) });
const aboutEvent = factsSchema.extend({ subject: z.object({ eventId: z.string() }) });
export const deadLetterRow = z.discriminatedUnion('kind', [
  aboutUsage.extend({ kind: z.literal('usage-rejected') }),
  aboutUsage.extend({ kind: z.literal('usage-parked') }),
  aboutUsage.extend({ kind: z.literal('usage-unrecorded') }),
  aboutDay.extend({ kind: z.literal('storage-day') }),
  aboutDay.extend({ kind: z.literal('storage-night') }),
  aboutMonth.extend({ kind: z.literal('storage-bill') }),
  aboutEvent.extend({ kind: z.literal('webhook-event') }),
]);
