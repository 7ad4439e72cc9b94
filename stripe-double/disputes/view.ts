import type Stripe from 'stripe';
import type { Dispute } from './schema.ts';

/** A dispute as Stripe shows it; the evidence is left out, nothing here gives any. */
export function renderDispute(
  dispute: Dispute,
): Omit<Stripe.Dispute, 'evidence' | 'evidence_details'> {
  return {
    id: dispute.id,
    object: 'dispute',
    amount: dispute.amount,
    balance_transactions: [],
    charge: dispute.charge,
    created: dispute.created,
    currency: dispute.currency,
    enhanced_eligibility_types: [],
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: dispute.paymentIntent,
    reason: dispute.reason,
    status: dispute.status,
  };
}
