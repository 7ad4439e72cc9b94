/** What a Stripe event is about and what it changes (page 3). A webhook is a hint: the truth is fetched. */

/** Stripe lists events for so many days (its API reference, "List all events"). */
export const daysKept = 30;

export type EventEffect =
  | 'invoice'
  | 'subscription'
  | 'checkout'
  | 'customer'
  | 'payment-intent'
  /** A refund. */
  | 'charge'
  | 'dispute'
  | 'credit-note'
  /** Usage that Stripe refused after it had taken it. */
  | 'meter-error'
  /** Kept in the inbox, changes nothing. */
  | 'ignored';

type Effective = Exclude<EventEffect, 'ignored'>;

/** Page 3's table. */
const typesOf: Readonly<Record<Effective, readonly string[]>> = {
  invoice: [
    'invoice.created',
    'invoice.updated',
    'invoice.finalized',
    'invoice.finalization_failed',
    'invoice.voided',
    'invoice.marked_uncollectible',
    'invoice.deleted',
    'invoice.paid',
    'invoice.payment_succeeded',
    'invoice.payment_failed',
  ],
  subscription: [
    'customer.subscription.created',
    'customer.subscription.updated',
    'customer.subscription.deleted',
    'customer.subscription.paused',
    'customer.subscription.resumed',
  ],
  checkout: [
    'checkout.session.completed',
    'checkout.session.async_payment_succeeded',
    'checkout.session.async_payment_failed',
  ],
  customer: ['customer.created', 'customer.updated', 'customer.deleted'],
  'payment-intent': [
    'payment_intent.succeeded',
    'payment_intent.payment_failed',
    'payment_intent.processing',
    'payment_intent.requires_action',
    'payment_intent.canceled',
  ],
  charge: ['charge.refunded'],
  dispute: [
    'charge.dispute.created',
    'charge.dispute.updated',
    'charge.dispute.closed',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.funds_reinstated',
  ],
  'credit-note': ['credit_note.created', 'credit_note.updated', 'credit_note.voided'],
  'meter-error': ['v1.billing.meter.error_report_triggered', 'v1.billing.meter.no_meter_found'],
};

/** Stripe sends thin events to event destinations only, all others to webhook endpoints as well. */
export const thinTypes: readonly string[] = typesOf['meter-error'];
export const snapshotTypes: readonly string[] = Object.values(typesOf)
  .flat()
  .filter((type) => !thinTypes.includes(type));

const effects: ReadonlyMap<string, Effective> = new Map(
  Object.entries(typesOf).flatMap(([effect, types]) =>
    types.map((type) => [type, effect as Effective] as const),
  ),
);

export function effectOf(type: string): EventEffect {
  return effects.get(type) ?? 'ignored';
}

/** An event, as far as the inbox and the workflows need to know it. Times are ISO 8601 UTC. */
export interface StripeEventFacts {
  eventId: string;
  type: string;
  createdAt: string;
  livemode: boolean;
  /** The object it names, such as `in_…`. */
  objectId?: string;
  customerId?: string;
  /** A v2 event: its content must be fetched. */
  thin: boolean;
}

/**
 * The account that an event is of, when it says so: a connected account's `account`, or a thin event's
 * `context`, the last part of a path (`org_1/acct_1`).
 * https://docs.stripe.com/api/events/object#event_object-account
 */
export function accountOf(event: unknown): string | undefined {
  if (!isRecord(event)) return undefined;
  const named = event['object'] === 'v2.core.event' ? event['context'] : event['account'];
  return typeof named === 'string' && named !== '' ? named.split('/').at(-1) : undefined;
}

/**
 * The line in which an event is applied, one at a time: its customer's, or for one without a customer
 * the line of its object, so that strangers do not wait for each other. Reports of wrong usage name their
 * meter, which all of them have in common: each is a line of its own (WH12).
 */
export function eventLine({
  customerId,
  objectId,
  eventId,
  type,
}: Pick<StripeEventFacts, 'customerId' | 'objectId' | 'eventId' | 'type'>): string {
  const effect = effectOf(type);
  const alone = effect === 'meter-error' ? eventId : (objectId ?? eventId);
  return customerId ?? `no-customer/${effect}/${alone}`;
}

/** Reads the facts out of an event of either kind; undefined when it is no Stripe event. */
export function readEvent(event: unknown): StripeEventFacts | undefined {
  if (!isRecord(event)) return undefined;
  const { id, type, created, livemode, object } = event;
  if (typeof id !== 'string' || !/^evt_[A-Za-z0-9_]{1,200}$/.test(id)) return undefined;
  if (typeof type !== 'string' || type.length > 200 || typeof livemode !== 'boolean')
    return undefined;
  const thin = object === 'v2.core.event';
  if (!thin && object !== 'event') return undefined;
  const createdMs = readTime(created);
  if (Number.isNaN(createdMs) || Math.abs(createdMs) > 8.64e15) return undefined;
  const facts = { eventId: id, type, createdAt: new Date(createdMs).toISOString(), livemode, thin };
  return thin ? { ...facts, ...relatedObject(event) } : { ...facts, ...snapshotObject(event) };
}

/** Seconds in a snapshot event, ISO 8601 in a thin one; NaN for anything else. */
function readTime(created: unknown): number {
  if (typeof created === 'number') return created * 1000;
  return typeof created === 'string' ? Date.parse(created) : Number.NaN;
}

/** Ids become part of workflow ids and URLs: what cannot be one is left out. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value);
}

function relatedObject(event: Record<string, unknown>): { objectId?: string } {
  const related = event['related_object'];
  const id = isRecord(related) ? related['id'] : undefined;
  return isId(id) ? { objectId: id } : {};
}

function snapshotObject(event: Record<string, unknown>): {
  objectId?: string;
  customerId?: string;
} {
  const data = event['data'];
  const object = isRecord(data) && isRecord(data['object']) ? data['object'] : {};
  const { id, customer } = object;
  const isCustomer = object['object'] === 'customer' ? id : customer;
  const customerId = isRecord(isCustomer) ? isCustomer['id'] : isCustomer;
  return {
    ...(isId(id) ? { objectId: id } : {}),
    ...(isId(customerId) ? { customerId } : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
