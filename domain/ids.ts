/**
 * Every id, workflow id and idempotency key of the product, built from business facts: the same fact
 * gives the same id on every machine and every retry, never from time or chance.
 */
import { BillingError } from './errors.ts';
import { fnv1a } from './hash.ts';
import type { Meter, UsageSource } from './usage.ts';

/** Stripe allows 100 characters for a meter event's identifier, which a processing id becomes. */
const processingIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** How the identifiers of other sources of usage begin: a processing of that name would collide in the ledger. */
const reservedPrefixes = ['storage-'] as const;
const customerIdPattern = /^cus_[A-Za-z0-9_]{1,96}$/;

/**
 * How many `deliverUsage` workflows share the ledger. One (customer, meter) is always in one shard,
 * which is what makes "one call at a time per customer and meter" true. A record keeps the shard it
 * was written with, so before changing this number let the old shards drain.
 */
export const deliveryShardCount = 8;

export const workflowIds = {
  processFiles: (processingId: string): string => `process-files/${processingId}`,
  deliverUsage: (shard: number): string => `deliver-usage/${shard}`,
  /** Of a start by hand: the schedule's runs have ids of their own. */
  sweepUsage: (): string => 'sweep-usage',
  sweepWebhooks: (): string => 'sweep-webhooks',
  repairReservations: (): string => 'repair-reservations',
  customer: (line: string): string => `customer/${line}`,
  sendAlerts: (line: string): string => `alerts/${line}`,
  /** Of a start by hand: the schedule's runs have ids of their own. */
  sweepAlerts: (): string => 'sweep-alerts',
  aggregateStorage: (day: string): string => `aggregate-storage/${day}`,
  /** One customer's day, measured again after its dead letter; apart from the run over all of them. */
  aggregateCustomerStorage: (day: string, customerId: string): string =>
    `aggregate-storage/${day}/${customerId}`,
  billStorage: (month: string): string => `bill-storage/${month}`,
  billCustomerStorage: (customerId: string, month: string): string =>
    `bill-storage/${customerId}/${month}`,
  /** Started by hand; the schedule's runs have ids of their own. */
  catchUpWebhooks: (since: string | undefined): string => `catch-up-webhooks/${since ?? 'usual'}`,
} as const;

export function parseCustomerId(value: string): string {
  if (!customerIdPattern.test(value)) {
    throw new BillingError(
      'invalid_request',
      `"${printable(value)}" is not a Stripe customer id (cus_ and then letters, digits or _)`,
    );
  }
  return value;
}

export function parseProcessingId(value: string): string {
  if (!processingIdPattern.test(value)) {
    throw new BillingError(
      'invalid_request',
      `"${printable(value)}" is not a processing id (1 to 100 letters, digits, ., _ or -, beginning with a letter or digit)`,
    );
  }
  const reserved = reservedPrefixes.find((prefix) => value.toLowerCase().startsWith(prefix));
  if (reserved !== undefined) {
    throw new BillingError(
      'invalid_request',
      `"${value}" is not a processing id: "${reserved}…" names the usage of another source`,
    );
  }
  return value;
}

/** The lane in which Stripe takes one call at a time. */
export function deliveryLane(customerId: string, meter: Meter): string {
  return `${customerId}/${meter}`;
}

export function deliveryShard(customerId: string, meter: Meter): number {
  return fnv1a(deliveryLane(customerId, meter)) % deliveryShardCount;
}

/**
 * The Idempotency-Key of a meter event: its name (FM5). Stripe saves even a 500 under a key and
 * replays it for a day, so once a replay was seen a further attempt needs a key of its own; the
 * event's identifier still makes it count once.
 */
export function meterEventIdempotencyKey(name: string, attempt: number, fresh: boolean): string {
  return fresh ? `${name}/attempt-${attempt}` : name;
}

/**
 * The Idempotency-Key of a customer's next checkout: the one after the newest that Stripe has of it, so
 * that two that are asked for at once are one.
 */
export function checkoutIdempotencyKey(
  customerId: string,
  newestSessionId: string | undefined,
): string {
  return `checkout/${customerId}/after/${newestSessionId ?? 'none'}`;
}

export function expireCheckoutIdempotencyKey(sessionId: string): string {
  return `checkout/${sessionId}/expire`;
}

/** `request` is a digest of what was asked, and of the request's own id: repeated, it is one session. */
export function portalIdempotencyKey(customerId: string, request: string): string {
  return `portal/${customerId}/${request}`;
}

/** The usage record of a customer's month of storage (SB11). */
export function storageIdentifier(customerId: string, month: string): string {
  return `storage-${customerId}-${month}`;
}

/** A storage bill, as the source of its usage. */
export function storageSource(customerId: string, month: string): UsageSource {
  return { kind: 'storage', id: `${customerId}/${month}` };
}

/** The workflow that made a usage record and is told of its delivery. */
export function sourceWorkflowId(source: UsageSource): string {
  return source.kind === 'processing'
    ? workflowIds.processFiles(source.id)
    : `bill-storage/${source.id}`;
}

/** Of what it is about: a usage record's or event's id, a day, or a customer and its day or month. */
export function deadLetterId(kind: string, ...about: readonly string[]): string {
  return [kind, ...about].join('/');
}

/**
 * An alert: its kind, whose it is, and the window in which it was raised (GA16). A receiver knows a repeat by
 * it. It sorts by time, and has no dot, which separates the parts of what is signed (Standard Webhooks).
 */
export function alertId(window: Date, kind: string, line: string): string {
  const minute = window.toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
  return `alert_${minute}Z_${kind}_${line}`;
}

/** A hostile id is shown short and without control characters. */
export function printable(value: string): string {
  const clean = value.replaceAll(/[\p{Cc}\p{Cf}]/gu, '�');
  return clean.length > 120 ? `${clean.slice(0, 117)}…` : clean;
}
