import type { Account } from '../account/account.ts';
import { refused } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { existing } from '../core/reading.ts';
import type { Dispute } from './schema.ts';
import { renderDispute } from './view.ts';

/** What a customer's bank does: it asks the money of a payment back. */
export function openDispute(
  account: Account,
  wanted: { paymentIntent: string; reason: string },
): Dispute {
  const intent = existing(account.paymentIntents, 'payment_intent', wanted.paymentIntent);
  const charge = account.charges.get(intent.latestCharge ?? '');
  if (charge === undefined || intent.status !== 'succeeded') {
    throw refused('Only a payment that succeeded can be disputed.');
  }
  account.charges.put(charge.id, { ...charge, disputed: true });
  const id = newId('du', 24);
  const dispute = account.disputes.put(id, {
    id,
    amount: charge.amount,
    charge: charge.id,
    created: account.clock.nowSeconds(),
    currency: charge.currency,
    paymentIntent: intent.id,
    reason: wanted.reason,
    status: 'needs_response',
  });
  account.events.happened('charge.dispute.created', renderDispute(dispute));
  return dispute;
}

/** How it goes on; won and lost are its end. */
export function moveDispute(account: Account, id: string, status: Dispute['status']): Dispute {
  const dispute = existing(account.disputes, 'dispute', id);
  const moved = account.disputes.put(id, { ...dispute, status });
  const isOver = status === 'won' || status === 'lost' || status === 'warning_closed';
  const type = isOver ? 'charge.dispute.closed' : 'charge.dispute.updated';
  account.events.happened(type, renderDispute(moved));
  return moved;
}
