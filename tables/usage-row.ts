/** A row of the usage ledger, as it is read. */
import { z } from 'zod';
import { deliveryStates, proofs } from '../domain/usage.ts';

export const rowSchema = z.object({
  identifier: z.string(),
  customerId: z.string(),
  meter: z.enum(['file_processed', 'storage-usage']),
  quantity: z.string().regex(/^[0-9]+$/),
  occurredAt: z.string(),
  source: z.object({ kind: z.enum(['processing', 'storage']), id: z.string() }),
  recordedAt: z.string(),
  state: z.enum(deliveryStates),
  attempts: z.number().int(),
  rounds: z.number().int(),
  firstAttemptAt: z.string().exactOptional(),
  lastAttemptAt: z.string().exactOptional(),
  doubtSince: z.string().exactOptional(),
  nextAttemptAt: z.string().exactOptional(),
  retryingSince: z.string().exactOptional(),
  deliveredAt: z.string().exactOptional(),
  gaveUp: z.string().exactOptional(),
  refusal: z.string().exactOptional(),
  arrived: z.array(z.number().int()).exactOptional(),
  provenBy: z.record(z.string(), z.object({ by: z.enum(proofs), at: z.string() })).exactOptional(),
  refusals: z.record(z.string(), z.number().int()).exactOptional(),
  freshKey: z.boolean(),
  error: z.string().exactOptional(),
  life: z.array(z.object({ at: z.string(), what: z.string() })),
  lifeLeftOut: z.number().int().exactOptional(),
});

export const undeliveredSchema = rowSchema
  .pick({ identifier: true, customerId: true, meter: true })
  .extend({
    nextAttemptAt: z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is not a time'),
  });
/** What the sparse index knows of a record that waits. */
export type Undelivered = z.infer<typeof undeliveredSchema>;

/** What a sum needs of a record. */
export const quantitySchema = rowSchema.pick({
  meter: true,
  quantity: true,
  state: true,
  occurredAt: true,
});
export type UsageQuantity = Omit<z.infer<typeof quantitySchema>, 'occurredAt'>;
