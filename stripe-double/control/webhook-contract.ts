import { z } from 'zod';
import { meterErrorCodes } from '../meter-events/error-reports.ts';
import { disputeStatuses } from '../disputes/schema.ts';
import { attemptSchema, deliverySchema } from '../webhooks/deliveries.ts';
import { forgeries } from '../webhooks/forge.ts';

/** The control API's words for billing and webhooks, for the server and its client alike. */

export const deliverySettingsRequestSchema = z.strictObject({
  paused: z.boolean().optional(),
  copies: z.int().min(1).max(100).optional(),
  delayMs: z.number().nonnegative().max(600_000).optional(),
  jitterMs: z.number().nonnegative().max(600_000).optional(),
  seed: z.int().nonnegative().optional(),
  retryScale: z.number().nonnegative().optional(),
  maxAttempts: z.int().min(1).max(100).optional(),
  concurrency: z.int().min(1).max(100).optional(),
  timeoutMs: z.int().min(1).max(60_000).optional(),
});
export type DeliverySettingsRequest = z.input<typeof deliverySettingsRequestSchema>;

export const deliverySettingsSchema = z.object({
  paused: z.boolean(),
  copies: z.int(),
  delayMs: z.number(),
  jitterMs: z.number(),
  seed: z.int(),
  retryScale: z.number(),
  maxAttempts: z.int(),
  concurrency: z.int(),
  timeoutMs: z.int(),
});

export const endpointRequestSchema = z.strictObject({
  url: z.string(),
  secret: z.string().min(1).optional(),
  enabledEvents: z.array(z.string()).min(1).default(['*']),
  /** Whether thin events come here too. */
  thin: z.boolean().default(true),
});
export type EndpointRequest = z.input<typeof endpointRequestSchema>;

export const endpointAnswerSchema = z.object({
  id: z.string(),
  url: z.string(),
  secret: z.string(),
});

export const releaseRequestSchema = z.strictObject({
  /** Events in the order in which they are to arrive; absent: all that is pending. */
  events: z.array(z.string()).optional(),
  order: z.enum(['as_made', 'reversed', 'shuffled']).default('as_made'),
  seed: z.int().nonnegative().default(1),
});
export type ReleaseRequest = z.input<typeof releaseRequestSchema>;

export const resendRequestSchema = z.strictObject({
  event: z.string(),
  copies: z.int().min(1).max(100).default(1),
  endpoint: z.string().optional(),
});
export type ResendRequest = z.input<typeof resendRequestSchema>;

export const forgeRequestSchema = z.strictObject({
  kind: z.enum(forgeries),
  event: z.string(),
  endpoint: z.string().optional(),
  /** How far the time of `old_timestamp` and `future_timestamp` is off. */
  offSeconds: z.int().positive().default(600),
});
export type ForgeRequest = z.input<typeof forgeRequestSchema>;

export const meterErrorsRequestSchema = z.strictObject({
  meter: z.string().optional(),
  errors: z
    .array(
      z.strictObject({
        identifier: z.string(),
        code: z.enum(meterErrorCodes).default('meter_event_customer_not_found'),
        message: z.string().optional(),
        /** The double's sums are without it from then on, as Stripe's are. */
        lost: z.boolean().default(false),
        /** Counted in the report, and not among its samples. */
        unnamed: z.boolean().default(false),
      }),
    )
    .min(1),
});
export type MeterErrorsRequest = z.input<typeof meterErrorsRequestSchema>;

export const disputeRequestSchema = z.strictObject({
  paymentIntent: z.string(),
  reason: z.string().default('fraudulent'),
});
export type DisputeRequest = z.input<typeof disputeRequestSchema>;
export const disputeMoveSchema = z.strictObject({ status: z.enum(disputeStatuses) });
export type DisputeMove = z.input<typeof disputeMoveSchema>;
export const disputeAnswerSchema = z.object({ id: z.string(), status: z.string() });

export const endPeriodRequestSchema = z.strictObject({
  finalize: z.boolean().default(true),
  pay: z.boolean().default(true),
  card: z.string().optional(),
});
export type EndPeriodRequest = z.input<typeof endPeriodRequestSchema>;

export const payRequestSchema = z.strictObject({
  card: z.string().default('pm_card_visa'),
  email: z.string().optional(),
  /** Complete now, and settled later. */
  isAsync: z.boolean().default(false),
});
export type PayRequest = z.input<typeof payRequestSchema>;

export const checkoutAnswerSchema = z.object({
  id: z.string(),
  status: z.string(),
  paymentStatus: z.string(),
  customer: z.string().nullable(),
  subscription: z.string().nullable(),
  paymentIntent: z.string().nullable(),
  /** Why the card refused; null when it did not. */
  declineCode: z.string().nullable(),
});

export const endPeriodAnswerSchema = z.object({
  subscription: z.string(),
  status: z.string(),
  invoice: z.string().nullable(),
  invoiceStatus: z.string().nullable(),
});

export const deliveryQuerySchema = z.object({
  event: z.string().optional(),
  type: z.string().optional(),
  state: z.enum(['pending', 'delivered', 'failed']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type DeliveryQuery = z.input<typeof deliveryQuerySchema>;

export const eventListSchema = z.array(
  z.object({ id: z.string(), type: z.string(), undelivered: z.int() }),
);
export const deliveryListSchema = z.array(deliverySchema);
export const attemptListSchema = z.array(
  attemptSchema.extend({ event: z.string(), delivery: z.string() }),
);
export const forgedSchema = attemptSchema;

export type DoubleDelivery = z.output<typeof deliverySchema>;
export type DoubleAttempt = z.output<typeof attemptListSchema>[number];
