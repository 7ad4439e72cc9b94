import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import { derivedId } from '../core/ids.ts';
import type { Invoice } from './schema.ts';

/** How an invoice is paid: by the payment intent that finalizing made. */
export function paymentsOf(account: Account, invoice: Invoice): Stripe.InvoicePayment[] {
  const { finalizedAt, id, paidAt, paymentIntent, status, voidedAt } = invoice;
  const intent = account.paymentIntents.get(paymentIntent ?? '');
  if (intent === undefined) return [];
  const isPaid = intent.status === 'succeeded';
  const isCanceled = intent.status === 'canceled' || status === 'void';
  return [
    {
      id: derivedId('inpay', id, intent.id),
      object: 'invoice_payment',
      amount_paid: isPaid ? intent.amount : null,
      amount_requested: intent.amount,
      created: finalizedAt ?? invoice.created,
      currency: invoice.currency,
      invoice: id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: isPaid ? 'paid' : isCanceled ? 'canceled' : 'open',
      status_transitions: {
        canceled_at: isCanceled ? voidedAt : null,
        paid_at: isPaid ? paidAt : null,
      },
    },
  ];
}
