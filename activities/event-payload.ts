/** What only the event itself knows: its snapshot, and the values that it replaced. */
import type Stripe from 'stripe';
import { detectChanges } from '../domain/subscription.ts';
import type { SubscriptionChange, SubscriptionState } from '../domain/subscription.ts';
import { unpackEvent } from '../tables/webhook-events.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import { subscriptionState } from './stripe-truth.ts';

/** The moment of payment, the same in both of an invoice's twin events. */
export function paidAt(snapshot: Record<string, unknown>): string | undefined {
  const { paid_at: seconds } = (snapshot['status_transitions'] ?? {}) as { paid_at?: unknown };
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : undefined;
}

/** What this very event told, from its snapshot and the values it replaced: whatever came before it. */
export function changesOf(
  type: string,
  { snapshot, replaced }: EventContent,
): SubscriptionChange[] {
  if (type === 'customer.subscription.created') return detectChanges(undefined, unknownState);
  // One that was too large to be kept tells its type only.
  const isKept = snapshot['items'] !== undefined;
  const after = isKept ? stateOf(snapshot) : unknownState;
  if (type === 'customer.subscription.deleted') {
    return detectChanges({ ...after, status: 'active' }, { ...after, status: 'canceled' });
  }
  if (type === 'customer.subscription.paused') {
    return detectChanges({ ...after, status: 'active', paused: false }, { ...after, paused: true });
  }
  if (type === 'customer.subscription.resumed') {
    return detectChanges({ ...after, paused: true }, { ...after, status: 'active', paused: false });
  }
  return isKept ? detectChanges(stateOf({ ...snapshot, ...replaced }), after) : [];
}

const unknownState = { status: '', prices: [], cancelAtPeriodEnd: false, paused: false };

function stateOf(snapshot: Record<string, unknown>): SubscriptionState {
  return subscriptionState(snapshot as unknown as Stripe.Subscription);
}

/** What an event holds beside its facts; nothing of one that was too large to be kept. */
export interface EventContent {
  snapshot: Record<string, unknown>;
  /** The values that its snapshot's took the place of (`previous_attributes`). */
  replaced: Record<string, unknown>;
}

export function readContent({ payload }: InboxEvent): EventContent {
  const event = payload === undefined ? {} : unpackEvent(payload);
  const { data } = event as {
    data?: { object?: Record<string, unknown>; previous_attributes?: Record<string, unknown> };
  };
  return { snapshot: data?.object ?? {}, replaced: data?.previous_attributes ?? {} };
}
