import { z } from 'zod';
import { faultKinds } from '../core/faults.ts';

/** The control API's words, for the server and its typed client alike. */

export const faultSpecSchema = z.strictObject({
  kind: z.enum(faultKinds),
  path: z.string().default('/v1/**'),
  method: z.string().optional(),
  match: z.string().optional(),
  where: z.record(z.string(), z.string()).optional(),
  times: z.int().positive().nullable().default(1),
  status: z.int().min(400).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  retryAfter: z.number().nonnegative().optional(),
  delayMs: z.number().nonnegative().max(600_000).optional(),
});
export type FaultRequest = z.input<typeof faultSpecSchema>;

export const faultSchema = faultSpecSchema.extend({
  id: z.string(),
  remaining: z.int().nullable(),
  hits: z.int(),
});

export const clockRequestSchema = z.union([
  z.strictObject({
    now: z.union([z.number(), z.iso.datetime()]),
    ticking: z.boolean().default(false),
  }),
  z.strictObject({ advanceMs: z.number() }),
  z.strictObject({ reset: z.literal(true) }),
]);
export type ClockRequest = z.input<typeof clockRequestSchema>;

export const clockSchema = z.object({
  nowMs: z.number(),
  now: z.string(),
  mode: z.enum(['real', 'shifted', 'frozen']),
});

const rate = z.number().positive().nullable();
export const settingsRequestSchema = z.strictObject({
  perSecond: rate.optional(),
  meterEventsPerSecond: rate.optional(),
  retryAfterSeconds: z.number().nonnegative().nullable().optional(),
  summaryLagMs: z.number().nonnegative().optional(),
  latencyMs: z.number().nonnegative().max(60_000).optional(),
});
export type SettingsRequest = z.input<typeof settingsRequestSchema>;

export const settingsSchema = z.object({
  perSecond: z.number().nullable(),
  meterEventsPerSecond: z.number().nullable(),
  retryAfterSeconds: z.number().nullable(),
  summaryLagMs: z.number(),
  latencyMs: z.number(),
});

export const customerRequestSchema = z.strictObject({
  id: z.string().regex(/^cus_\w+$/),
  name: z.string().nullable().default(null),
  email: z.string().nullable().default(null),
  metadata: z.record(z.string(), z.string()).default({}),
});
export type CustomerRequest = z.input<typeof customerRequestSchema>;

export const customerSchema = z.object({
  id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  created: z.number(),
});

export const eventQuerySchema = z.object({
  customer: z.string().optional(),
  eventName: z.string().optional(),
  identifier: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** Goes on behind this sequence number, towards older events. */
  before: z.coerce.number().int().optional(),
});
export type EventQuery = z.input<typeof eventQuerySchema>;

export const eventPageSchema = z.object({
  events: z.array(
    z.object({
      sequence: z.int(),
      identifier: z.string(),
      eventName: z.string(),
      meterId: z.string(),
      customer: z.string(),
      value: z.string(),
      timestamp: z.int(),
      receivedAtMs: z.number(),
    }),
  ),
  hasMore: z.boolean(),
});

export const sumsSchema = z.array(
  z.object({
    customer: z.string(),
    eventName: z.string(),
    total: z.string(),
    events: z.int(),
  }),
);

export const requestSchema = z.object({
  requestId: z.string(),
  atMs: z.number(),
  method: z.string(),
  path: z.string(),
  idempotencyKey: z.string().nullable(),
  status: z.int().nullable(),
  fault: z.string().nullable(),
  replayed: z.boolean(),
  ms: z.number().nullable(),
});

const webhookFiguresSchema = z.object({
  endpoints: z.int(),
  deliveries: z.int(),
  pending: z.int(),
  delivered: z.int(),
  attempts: z.int(),
});

export const stateSchema = z.object({
  clock: clockSchema,
  settings: settingsSchema,
  inFlight: z.int(),
  hanging: z.int(),
  totalRequests: z.int(),
  counts: z.object({
    customers: z.int(),
    products: z.int(),
    prices: z.int(),
    meters: z.int(),
    events: z.int(),
    subscriptions: z.int(),
    invoices: z.int(),
    paymentIntents: z.int(),
    checkoutSessions: z.int(),
    stripeEvents: z.int(),
  }),
  webhooks: webhookFiguresSchema,
  sums: sumsSchema,
  maxConcurrent: z.array(
    z.object({ customer: z.string(), eventName: z.string(), maxConcurrent: z.int() }),
  ),
  faults: z.array(faultSchema),
  events: eventPageSchema,
  requests: z.array(requestSchema),
});

export const waitQuerySchema = z.object({
  hanging: z.coerce.number().int().optional(),
  inFlight: z.coerce.number().int().optional(),
  requests: z.coerce.number().int().optional(),
  events: z.coerce.number().int().optional(),
  faultHits: z.coerce.number().int().optional(),
  inFlightAtMost: z.coerce.number().int().optional(),
  deliveries: z.coerce.number().int().optional(),
  deliveryAttempts: z.coerce.number().int().optional(),
  pendingDeliveriesAtMost: z.coerce.number().int().optional(),
  stripeEvents: z.coerce.number().int().optional(),
  timeoutMs: z.coerce.number().int().min(0).max(120_000).default(10_000),
});
export type WaitQuery = z.input<typeof waitQuerySchema>;

export const waitSchema = z.object({
  reached: z.boolean(),
  hanging: z.int(),
  inFlight: z.int(),
  requests: z.int(),
  events: z.int(),
  faultHits: z.int(),
  deliveries: z.int(),
  deliveryAttempts: z.int(),
  pendingDeliveries: z.int(),
  stripeEvents: z.int(),
});

export type DoubleState = z.output<typeof stateSchema>;
export type DoubleFault = z.output<typeof faultSchema>;
export type DoubleClock = z.output<typeof clockSchema>;
export type DoubleSettings = z.output<typeof settingsSchema>;
export type DoubleSum = z.output<typeof sumsSchema>[number];
export type DoubleEventPage = z.output<typeof eventPageSchema>;
export type DoubleEvent = DoubleEventPage['events'][number];
export type DoubleRequest = z.output<typeof requestSchema>;
export type DoubleCustomer = z.output<typeof customerSchema>;
export type WaitResult = z.output<typeof waitSchema>;
