/** What a Stripe event is about and what it changes (page 3). A webhook is a hint: the truth is fetched. */

/** Stripe lists events for so many days (its API reference, "List all events"). */
export const daysKept = 30;

export type EventEffect =
  | 'invoice'
  | 'subscription'
  | 'checkout'
  | 'payment-intent'
  /** Usage that Stripe refused after it had taken it. */
  | 'meter-error'
  /** Kept in the inbox, changes nothing. */
  | 'ignored';

const effects: Readonly<Record<string, EventEffect>> = {
  'invoice.paid': 'invoice',
  'invoice.payment_succeeded': 'invoice',
  'invoice.payment_failed': 'invoice',
  'customer.subscription.created': 'subscription',
  'customer.subscription.updated': 'subscription',
  'customer.subscription.deleted': 'subscription',
  'customer.subscription.paused': 'subscription',
  'customer.subscription.resumed': 'subscription',
  'checkout.session.completed': 'checkout',
  'checkout.session.async_payment_succeeded': 'checkout',
  'checkout.session.async_payment_failed': 'checkout',
  'payment_intent.succeeded': 'payment-intent',
  'payment_intent.payment_failed': 'payment-intent',
  'v1.billing.meter.error_report_triggered': 'meter-error',
  'v1.billing.meter.no_meter_found': 'meter-error',
};

export function effectOf(type: string): EventEffect {
  // A type such as `constructor` is no effect.
  return Object.hasOwn(effects, type) ? (effects[type] ?? 'ignored') : 'ignored';
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
