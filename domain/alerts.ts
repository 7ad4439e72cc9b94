/**
 * What a person must hear of (GA16): the kinds, in one table, and what is said of each to the outside. An
 * alert carries ids and figures only: its reader looks up the rest where it is guarded (I10).
 */
import { alertId } from './ids.ts';

interface KindOfAlert {
  /** The log line begins with it. */
  title: string;
  /** What a person should do. */
  action: string;
  level: 'warn' | 'error';
  /** Of one customer: it stands in that customer's line; all others share a line. */
  ofCustomer: boolean;
  /** The facts that go out; whatever else is said of it stays in the log. */
  facts: readonly string[];
}

/** A kind's name is for good: rows and receivers carry it. */
export const alertKinds = {
  soft_limit_passed: {
    title: 'a customer has passed its soft limit',
    action: 'Nothing must be done; at the hard limit its casts are refused. Tell the customer.',
    level: 'warn',
    ofCustomer: true,
    facts: ['period', 'usedCents', 'softLimitCents', 'hardLimitCents'],
  },
  payment_failed: {
    title: 'a payment failed',
    action: 'Stripe tries again by its own schedule. See durabill customers show.',
    level: 'warn',
    ofCustomer: true,
    facts: ['invoiceId'],
  },
  payment_disputed: {
    title: 'a payment is disputed, answer it at Stripe',
    action: 'Answer the dispute at Stripe: there are days to do so.',
    level: 'error',
    ofCustomer: true,
    facts: ['disputeId', 'paymentIntentId'],
  },
  late_payment: {
    title: 'money was taken for a subscription that had ended: give it back, or the service',
    action: 'Refund the invoice at Stripe, or give the service again.',
    level: 'error',
    ofCustomer: true,
    facts: ['invoiceId', 'subscriptionId', 'endedAt', 'paidAt'],
  },
  dead_letter_opened: {
    title: 'work was laid aside for a person',
    action: 'See durabill dead-letters list: this one, and any that came in the same five minutes.',
    level: 'error',
    ofCustomer: true,
    facts: ['deadLetterId', 'deadLetterKind'],
  },
  delivery_halted: {
    title: 'delivery to Stripe is halted',
    action: 'Stripe refuses our key: mend STRIPE_SECRET_KEY. Nothing is lost meanwhile.',
    level: 'error',
    ofCustomer: false,
    facts: [],
  },
  webhooks_halted: {
    title: 'Stripe refuses our key, its events wait',
    action: 'Give the key its rights (durabill doctor). The events go on by themselves.',
    level: 'error',
    ofCustomer: false,
    facts: [],
  },
  reconciliation_differs: {
    title: 'what Stripe has differs from what was delivered',
    action: 'Compare the day in the usage ledger with Stripe’s meter.',
    level: 'error',
    ofCustomer: true,
    facts: ['meter', 'day', 'delivered', 'atStripe'],
  },
  invoice_held: {
    title: 'an invoice is held for too long',
    action: 'See what usage it waits for; Stripe finalises it by itself at the stated time.',
    level: 'error',
    ofCustomer: true,
    facts: ['invoiceId', 'heldSince', 'finalizesAt'],
  },
} as const satisfies Record<string, KindOfAlert>;

export type AlertKind = keyof typeof alertKinds;
type FactsOf<Kind extends AlertKind> = Partial<
  Record<(typeof alertKinds)[Kind]['facts'][number], string | number | undefined>
>;

/** As it is raised. `note`: more words for the log, which never leave the house. */
export type RaisedAlert = {
  [Kind in AlertKind]: {
    kind: Kind;
    customerId?: string | undefined;
    facts: FactsOf<Kind>;
    note?: string;
  };
}[AlertKind];

/** As it is kept and sent. */
export interface Alert {
  /** Whose alerts go out one after the other: a customer's id, or `none`. */
  line: string;
  alertId: string;
  kind: AlertKind;
  facts: Record<string, string | number>;
  raisedAt: string;
}

/** The line of all alerts that are of no customer. */
export const lineOfNobody = 'none';

/** One POST for each kind, customer and so long (GA16). */
export const alertWindowMs = 5 * 60_000;

/** What is sent of an alert that was raised at that time; the same for each that is raised in its window. */
export function alertOf({ kind, customerId, facts }: RaisedAlert, now: Date): Alert {
  const { ofCustomer, facts: named } = alertKinds[kind];
  const known =
    ofCustomer && customerId !== undefined && /^cus_[A-Za-z0-9_]{1,96}$/.test(customerId);
  const line = known ? customerId : lineOfNobody;
  const windowMs = Math.floor(now.getTime() / alertWindowMs) * alertWindowMs;
  return {
    line,
    alertId: alertId(new Date(windowMs), kind, line),
    kind,
    facts: harmlessOf(facts, named),
    raisedAt: now.toISOString(),
  };
}

/** An id, a time or a figure: no text that a person wrote, no address. */
const plain = /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,199}$/;
/** How keys and secrets begin, Stripe's and ours. */
const secret = /(?:[srp]k)_(?:test|live)_|whsec_|dbk_/;

function harmlessOf(
  facts: Readonly<Record<string, string | number | undefined>>,
  named: readonly string[],
): Record<string, string | number> {
  const kept = named.flatMap((name): [string, string | number][] => {
    const value = facts[name];
    if (value === undefined) return [];
    const isHarmless =
      typeof value === 'number'
        ? Number.isSafeInteger(value)
        : plain.test(value) && !secret.test(value);
    return isHarmless ? [[name, value]] : [];
  });
  return Object.fromEntries(kept);
}

/** The body of the POST, in the shape that Standard Webhooks recommends. */
export function alertBody({ line, alertId: id, kind, facts, raisedAt }: Alert): string {
  const { title, action } = alertKinds[kind];
  const customer = line === lineOfNobody ? {} : { customerId: line };
  return JSON.stringify({
    type: `alert.${kind}`,
    timestamp: raisedAt,
    data: { id, kind, ...customer, title, action, facts },
  });
}

/** So long an alert is worth telling; one that is found later gets one try all the same. */
const patienceMs = 3 * 24 * 3_600_000;

/** How long it may still be tried, from now. */
export function alertPatienceMs({ raisedAt }: Pick<Alert, 'raisedAt'>, now: Date): number {
  return Math.max(0, Date.parse(raisedAt) + patienceMs - now.getTime());
}

const firstWaitMs = 5000;
const longestWaitMs = 3_600_000;
/** A receiver may ask for more (Retry-After), up to this. */
const mostAskedMs = 6 * 3_600_000;

/** After so many tries in vain: 5 s, 25 s, 2 min, 10 min, 52 min, then every hour. */
export function alertWaitMs(tries: number, askedMs = 0): number {
  const own = Math.min(firstWaitMs * 5 ** Math.min(tries - 1, 10), longestWaitMs);
  return Math.max(own, Math.min(askedMs, mostAskedMs));
}

/**
 * What a receiver's status means. 410: it wants no more of it (Standard Webhooks). Any other refusal may be
 * mended within the three days: a wrong path, a secret that was rotated on one side. A redirect is never
 * followed, for it would lead where nobody has looked.
 */
export function readAnswer(status: number): 'taken' | 'gone' | 'refused' {
  if (status >= 200 && status <= 299) return 'taken';
  return status === 410 ? 'gone' : 'refused';
}
