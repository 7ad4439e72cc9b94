/**
 * What the events of one task have in common. Each of them was in the inbox before the task began, so an
 * object that is asked for now is the truth for all events that name it: it is fetched and stored once.
 */
import type Stripe from 'stripe';
import type { PaymentRow } from '../tables/payments.ts';
import type { SubscriptionRow } from '../tables/subscriptions.ts';
import type { Dependencies } from './dependencies.ts';
import { subscriptionTruth } from './stripe-truth.ts';

/** Who loses a round loses it to a truth that was asked for later. */
const mostRounds = 20;

/** What an object's mirroring came to. */
export interface Mirrored {
  customerId: string | undefined;
  paymentId?: string | undefined;
  attemptCount?: number | undefined;
}

/** What events of this task were about, of one customer. */
export interface Touched {
  invoices: Set<string>;
  subscriptions: Set<string>;
  paidCheckout: boolean;
}

export interface EventGroup {
  deps: Dependencies;
  stripe: Stripe;
  /** Questions to Stripe so far. */
  asked: number;
  /** By the id of Stripe's object. */
  mirrored: Map<string, Mirrored>;
  /** Rows that this task wrote, as they stand: their history need not be read again. */
  subscriptions: Map<string, SubscriptionRow>;
  payments: Map<string, PaymentRow>;
  /** By customer: what may have changed its standing since that was last worked out. */
  touched: Map<string, Touched>;
}

export function createEventGroup(deps: Dependencies, stripe: Stripe): EventGroup {
  return {
    deps,
    stripe,
    asked: 0,
    mirrored: new Map(),
    subscriptions: new Map(),
    payments: new Map(),
    touched: new Map(),
  };
}

/** Notes that a customer's standing may have changed. */
export function touch(group: EventGroup, customerId: string | undefined): Touched {
  const none = {
    invoices: new Set<string>(),
    subscriptions: new Set<string>(),
    paidCheckout: false,
  };
  if (customerId === undefined || customerId === '') return none;
  const known = group.touched.get(customerId) ?? none;
  group.touched.set(customerId, known);
  return known;
}

export async function mirrorSubscription(group: EventGroup, id: string): Promise<Mirrored> {
  const { deps, stripe } = group;
  return await once(group, id, async () => {
    const read = async () => await deps.subscriptions.get(id);
    const { row } = await storeInOrder(id, read, async (revision) => {
      const truth = subscriptionTruth(await askForSubscription(group, stripe, id));
      return wrapped(await deps.subscriptions.mirror(truth, revision));
    });
    group.subscriptions.set(id, row);
    touch(group, row.customerId).subscriptions.add(id);
    return { customerId: row.customerId };
  });
}

/** With all of its items: the object itself shows twenty at most (WH15). */
async function askForSubscription(
  group: EventGroup,
  stripe: Stripe,
  id: string,
): Promise<Stripe.Subscription> {
  const subscription = await ask(group, stripe.subscriptions.retrieve(id));
  if (!subscription.items.has_more) return subscription;
  const data: Stripe.SubscriptionItem[] = [];
  for await (const item of stripe.subscriptionItems.list({ subscription: id, limit: 100 })) {
    data.push(item);
  }
  group.asked += Math.ceil(data.length / 100);
  return { ...subscription, items: { ...subscription.items, data, has_more: false } };
}

function wrapped<Row>(row: Row | undefined): { row: Row } | undefined {
  return row === undefined ? undefined : { row };
}

/** One of Stripe's objects, once a task. */
export async function once(
  group: EventGroup,
  id: string,
  mirror: () => Promise<Mirrored>,
): Promise<Mirrored> {
  const known = group.mirrored.get(id);
  if (known !== undefined) return known;
  const mirrored = await mirror();
  group.mirrored.set(id, mirrored);
  return mirrored;
}

/**
 * Reads the row's revision, and only then asks Stripe and stores: what stands there was asked for earlier
 * (WH4, WH11). When someone else stored meanwhile, all of it again.
 */
export async function storeInOrder<Result>(
  id: string,
  read: () => Promise<{ revision: number } | undefined>,
  askAndStore: (revision: number) => Promise<Result | undefined>,
): Promise<Result> {
  for (let round = 0; round < mostRounds; round += 1) {
    const revision = (await read())?.revision ?? 0;
    const stored = await askAndStore(revision);
    if (stored !== undefined) return stored;
  }
  throw new Error(`${id} is written by too many at once`);
}

export async function ask<Answer>(group: EventGroup, question: Promise<Answer>): Promise<Answer> {
  group.asked += 1;
  return await question;
}
