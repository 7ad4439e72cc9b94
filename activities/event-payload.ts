/** What only the event itself knows: its snapshot, and the values that it replaced. */
import { gunzipSync } from 'node:zlib';
import type Stripe from 'stripe';
import { detectChanges } from '../domain/subscription.ts';
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
  snapshot: Record<string, unknown>,
  payload: Uint8Array | undefined,
) {
  if (type === 'customer.subscription.created' || payload === undefined) {
    return detectChanges(undefined, emptyState);
  }
  const after = subscriptionState(snapshot as unknown as Stripe.Subscription);
  if (type === 'customer.subscription.deleted') {
    return detectChanges({ ...after, status: 'active' }, { ...after, status: 'canceled' });
  }
  if (type === 'customer.subscription.paused') {
    return detectChanges({ ...after, status: 'active', paused: false }, { ...after, paused: true });
  }
  if (type === 'customer.subscription.resumed') {
    return detectChanges({ ...after, paused: true }, { ...after, status: 'active', paused: false });
  }
  const before = { ...snapshot, ...previousAttributes(payload) };
  return detectChanges(subscriptionState(before as unknown as Stripe.Subscription), after);
}

const emptyState = { status: '', prices: [], cancelAtPeriodEnd: false, paused: false };

function readPayload(payload: Uint8Array | undefined): Record<string, unknown> {
  if (payload === undefined) return {};
  const data: unknown = JSON.parse(gunzipSync(payload).toString('utf8'));
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
}

export function readSnapshot({ payload }: InboxEvent): Record<string, unknown> {
  const { data } = readPayload(payload) as { data?: { object?: Record<string, unknown> } };
  return data?.object ?? {};
}

function previousAttributes(payload: Uint8Array): Record<string, unknown> {
  const { data } = readPayload(payload) as {
    data?: { previous_attributes?: Record<string, unknown> };
  };
  return data?.previous_attributes ?? {};
}
