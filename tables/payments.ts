/** Payments as Stripe has them; a failed attempt followed by a success is one row that keeps both. */
import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { pageSize, queryIndex } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { addToHistory, storeDerived, storeTruth } from './mirror.ts';
import { readableRows, readRow, rowName } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const truthSchema = z.object({
  /** `pi_…`, or `in_…` for an invoice that no payment intent paid. */
  paymentId: z.string(),
  status: z.enum(['succeeded', 'failed']),
  /** Minor units. */
  amount: z.number().int(),
  currency: z.string(),
  /** ISO 8601 UTC, as all times here. */
  stripeCreated: z.string(),
  customerId: z.string().optional(),
  userId: z.string().optional(),
  subscriptionId: z.string().optional(),
  stripePaymentIntentId: z.string().optional(),
  stripeInvoiceId: z.string().optional(),
  billingPeriodStart: z.string().optional(),
  billingPeriodEnd: z.string().optional(),
  failureReason: z.string().optional(),
  attemptCount: z.number().int().optional(),
  /** How its invoice, or the intent, came to its end. */
  endedBy: z.enum(['payment', 'out_of_band', 'credit', 'void', 'write_off', 'canceled']).optional(),
  /** Usage and licences of one invoice, where they are of different times. */
  meteredPeriodStart: z.string().optional(),
  meteredPeriodEnd: z.string().optional(),
  licensedPeriodStart: z.string().optional(),
  licensedPeriodEnd: z.string().optional(),
  /** Given back, minor units. */
  refundedAmount: z.number().int().optional(),
  /** Stripe's, of the newest dispute: `needs_response`, `won`, `lost`… */
  disputeStatus: z.string().optional(),
  disputeReason: z.string().optional(),
});
/** What Stripe said of a payment. */
export type PaymentTruth = z.infer<typeof truthSchema>;

const attemptSchema = z.object({
  at: z.string(),
  outcome: z.enum(['succeeded', 'failed']),
  failureReason: z.string().optional(),
  attemptCount: z.number().int().optional(),
});
export type PaymentAttempt = z.infer<typeof attemptSchema>;

const rowSchema = truthSchema.extend({
  createdAt: z.string(),
  expiresAt: z.number().int(),
  /** How often Stripe's word was stored. */
  revision: z.number().int(),
  /** Of its invoice, when the word was the invoice's. */
  invoiceRevision: z.number().int().exactOptional(),
  /** By what happened: `invoice/failed/1`, `intent/succeeded/ch_…`. */
  history: z.record(z.string(), attemptSchema).default({}),
});
export type PaymentRow = z.infer<typeof rowSchema>;

/** Stored; without a row its seven years are over. */
interface Stored {
  row: PaymentRow | undefined;
}

const sevenYearsSeconds = 7 * 366 * 86_400;

/**
 * What only the other kind of event knows (an invoice's period, say) stays: facts that are undefined are
 * left as they are. A success takes the reason of a failure away.
 */
function factsOf({ paymentId: _paymentId, ...truth }: PaymentTruth): Record<string, unknown> {
  const facts = Object.entries(truth).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(facts),
    ...(truth.status === 'succeeded' ? { failureReason: undefined } : {}),
    createdAt: truth.stripeCreated,
    expiresAt: Math.floor(Date.parse(truth.stripeCreated) / 1000) + sevenYearsSeconds,
  };
}

export type Payments = ReturnType<typeof createPayments>;

export function createPayments(store: TableStore) {
  const { db } = store;
  const TableName = `${store.prefix}${tableSchemas.payments.name}`;
  /** Undefined when its seven years are over. */
  function aliveOf(item: Record<string, unknown>): PaymentRow | undefined {
    const row = readRow(rowSchema, item, rowName('payments', item));
    return isAlive(row) ? row : undefined;
  }
  const isAlive = ({ expiresAt }: PaymentRow) => expiresAt > store.now().getTime() / 1000;

  async function get(paymentId: string): Promise<PaymentRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { paymentId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : aliveOf(Item);
  }

  /**
   * Stores what Stripe said of a payment intent, if the row is as it was read before Stripe was asked
   * (`revision`, 0 when there was none): undefined when someone else was quicker.
   */
  async function mirror(truth: PaymentTruth, revision: number): Promise<Stored | undefined> {
    const { paymentId } = truth;
    const item = await storeTruth(store, TableName, { paymentId }, factsOf(truth), revision);
    return item === undefined ? undefined : { row: aliveOf(item) };
  }

  /** The same by an invoice, whose own row has the order: undefined when a newer one stands there. */
  async function mirrorInvoice(
    truth: PaymentTruth,
    invoiceRevision: number,
  ): Promise<Stored | undefined> {
    const key = { paymentId: truth.paymentId };
    const item = await storeDerived(store, TableName, key, factsOf(truth), invoiceRevision);
    return item === undefined ? undefined : { row: aliveOf(item) };
  }

  /** Takes away the row of an invoice that turned out to be another payment's receipt (WH20). */
  async function remove(paymentId: string): Promise<void> {
    await db.send(new DeleteCommand({ TableName, Key: { paymentId } }));
  }

  /**
   * Adds an attempt to a mirrored row, under a key made from what happened, and returns the row: the
   * newest 100 stay. `row` is as it was read last, if it was.
   */
  async function addAttempt(
    paymentId: string,
    fact: string,
    attempt: PaymentAttempt,
    row?: PaymentRow,
  ): Promise<{ row: PaymentRow | undefined; removed: string[] }> {
    const added = await addToHistory(store, TableName, { paymentId }, fact, attempt, row);
    return { row: aliveOf(added.row), removed: added.removed };
  }

  /** A customer's payments, newest first; at most `limit`. */
  async function ofCustomer(customerId: string, limit: number): Promise<PaymentRow[]> {
    const found: PaymentRow[] = [];
    const rows = queryIndex(store, 'payments', 'customerId-createdAt-index', {
      KeyConditionExpression: 'customerId = :customer',
      ExpressionAttributeValues: { ':customer': customerId },
      ScanIndexForward: false,
      Limit: Math.min(pageSize, limit),
    });
    for await (const row of readableRows(store, 'payments', rowSchema, rows)) {
      if (isAlive(row)) found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  return { get, mirror, mirrorInvoice, remove, addAttempt, ofCustomer };
}
