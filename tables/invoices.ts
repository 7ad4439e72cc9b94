/** A mirror of Stripe's invoices: what is owed, and which payment each of them is. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { TableStore } from './dynamo.ts';
import { storeTruth } from './mirror.ts';
import { tableSchemas } from './schema.ts';

const truthSchema = z.object({
  invoiceId: z.string(),
  customerId: z.string(),
  /** Stripe's; `deleted` for a draft that is gone. */
  status: z.string(),
  currency: z.string(),
  /** Minor units, as all amounts here. */
  amountDue: z.number().int(),
  amountPaid: z.number().int(),
  amountCredited: z.number().int(),
  attemptCount: z.number().int(),
  /** Of the payment intent that pays it. */
  intentStatus: z.string().optional(),
  subscriptionId: z.string().optional(),
  billingReason: z.string().optional(),
  /** ISO 8601 UTC, as all times here. */
  stripeCreated: z.string(),
  /** Of what its lines bill. */
  periodStart: z.string(),
  periodEnd: z.string(),
  /** Its row in `payments`, the same for good: chosen when it was first asked for. */
  paymentId: z.string().optional(),
  /** The payment intent of a checkout whose receipt it is: then that is the payment, and this is none. */
  receiptOf: z.string().optional(),
});
/** What Stripe said of an invoice, and what became of it here. */
export type InvoiceTruth = z.infer<typeof truthSchema>;

const rowSchema = truthSchema.extend({ revision: z.number().int() });
export type InvoiceRow = z.infer<typeof rowSchema>;

export type Invoices = ReturnType<typeof createInvoices>;

export function createInvoices(store: TableStore) {
  const TableName = `${store.prefix}${tableSchemas.invoices.name}`;

  async function get(invoiceId: string): Promise<InvoiceRow | undefined> {
    const { Item } = await store.db.send(
      new GetCommand({ TableName, Key: { invoiceId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  /**
   * Stores what Stripe said, if the row is as it was read before Stripe was asked (`revision`, 0 when there
   * was none): returns the row as it stands then, or undefined when someone else was quicker.
   */
  async function mirror(truth: InvoiceTruth, revision: number): Promise<InvoiceRow | undefined> {
    const { invoiceId, ...facts } = truth;
    const item = await storeTruth(store, TableName, { invoiceId }, facts, revision);
    return item === undefined ? undefined : rowSchema.parse(item);
  }

  return { get, mirror };
}
