/** What an invoice of Stripe means to its customer: a debt, a payment, or neither (WH17, WH18). */

/** The facts of Stripe's invoice and of the payment intent that pays it; amounts in minor units. */
export interface InvoiceFacts {
  /** `draft`, `open`, `paid`, `uncollectible`, `void`; `deleted` for a draft that is gone. */
  status: string;
  attemptCount: number;
  amountDue: number;
  amountPaid: number;
  /** Credit notes that were made before it was paid. */
  amountCredited: number;
  /** Undefined when it has no payment intent. */
  intentStatus?: string | undefined;
}

/** How an invoice came to its end; `out_of_band` is a bank transfer or cash that Stripe did not see. */
export type InvoiceEnding = 'payment' | 'out_of_band' | 'credit' | 'void' | 'write_off';

/** On its way, or waiting for the customer's bank: neither paid nor failed. */
const underWay = new Set([
  'processing',
  'requires_action',
  'requires_capture',
  'requires_confirmation',
]);

/** Whether it is open and its payment was tried and failed. */
export function isOpenDebt(invoice: InvoiceFacts): boolean {
  const { status, attemptCount, intentStatus = '' } = invoice;
  return status === 'open' && attemptCount > 0 && !underWay.has(intentStatus);
}

/** Undefined while it is open, or gone without having been asked for. */
export function endingOf(invoice: InvoiceFacts): InvoiceEnding | undefined {
  const { status, amountDue, amountPaid, amountCredited, intentStatus } = invoice;
  if (status === 'void') return 'void';
  if (status === 'uncollectible') return 'write_off';
  if (status !== 'paid') return undefined;
  if (amountPaid === 0 && amountDue <= amountCredited) return 'credit';
  return intentStatus === 'succeeded' ? 'payment' : 'out_of_band';
}

export interface InvoiceOutcome {
  status: 'succeeded' | 'failed';
  amount: number;
  endedBy: InvoiceEnding | undefined;
}

/** The payment that an invoice is; undefined while nothing was tried, and for one over nothing (WH18). */
export function outcomeOf(invoice: InvoiceFacts): InvoiceOutcome | undefined {
  const endedBy = endingOf(invoice);
  const { attemptCount, amountDue, amountPaid, amountCredited, intentStatus = '' } = invoice;
  if (endedBy === 'payment' || endedBy === 'out_of_band') {
    return { status: 'succeeded', amount: amountPaid > 0 ? amountPaid : amountDue, endedBy };
  }
  // The first attempt may be under way still; a later one follows one that failed.
  const failures = underWay.has(intentStatus) ? attemptCount - 1 : attemptCount;
  if (failures <= 0) return undefined;
  // What was asked for: a credit note lowers what is due.
  const amount = endedBy === 'credit' ? Math.max(amountDue, amountCredited) : amountDue;
  return { status: 'failed', amount, endedBy };
}
