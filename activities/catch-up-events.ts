/** Asks Stripe for the events that it could not deliver, and feeds them through the same inbox. */
import type Stripe from 'stripe';
import { BillingError } from '../domain/errors.ts';
import { parseDay } from '../domain/period.ts';
import { accountOf, daysKept, eventLine, readEvent, thinTypes } from '../domain/stripe-events.ts';
import type { ResultOf } from '../engine/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import { tellWaiting } from './sweep-events.ts';

const usualDays = 3;
const dayMs = 86_400_000;
/** Of those that waited, so many are named. */
const mostNamed = 100;

export function createCatchUpActivities(deps: Dependencies) {
  /** Every undelivered event since a day, all pages; and what we took in and nobody has applied. */
  async function catchUpEvents(order: { since?: string }): Promise<ResultOf<'catchUpWebhooks'>> {
    return await withHeartbeat(async (cancelled) => {
      const { stripe } = deps;
      if (stripe === undefined) {
        throw new BillingError('billing_disabled', 'billing is off: no Stripe key');
      }
      const since = new Date(sinceMs(order.since, deps.now().getTime()));
      const told = await tellWaiting(deps, undefined, cancelled);
      let [seen, added] = [0, 0];
      for await (const event of undelivered(stripe, since)) {
        cancelled.throwIfAborted();
        const isNew = await takeIn(deps, event);
        if (isNew === undefined) continue;
        seen += 1;
        if (isNew) added += 1;
      }
      return { seen, added, waiting: told.length, waitingIds: told.slice(0, mostNamed) };
    });
  }

  return { catchUpEvents };
}

function sinceMs(since: string | undefined, nowMs: number): number {
  const askedMs =
    since === undefined ? nowMs - usualDays * dayMs : Date.parse(`${parseDay(since)}T00:00:00Z`);
  return Math.max(askedMs, nowMs - daysKept * dayMs);
}

/**
 * Of thin events Stripe does not say whether they were delivered: all of ours are listed, and the inbox knows
 * those that came (WH24). https://docs.stripe.com/api/v2/core/events/list
 */
async function* undelivered(stripe: Stripe, since: Date): AsyncGenerator<unknown> {
  yield* stripe.events.list({
    delivery_success: false,
    created: { gte: Math.floor(since.getTime() / 1000) },
    limit: 100,
  });
  // Times are RFC 3339 in v2; the SDK's types say number.
  const created = { gte: since.toISOString() as unknown as number };
  yield* stripe.v2.core.events.list({ types: [...thinTypes], created, limit: 100 });
}

/** Undefined for what is no event of ours; the next catch-up tells what we die before telling. */
async function takeIn(deps: Dependencies, event: unknown): Promise<boolean | undefined> {
  const facts = readEvent(event);
  if (facts === undefined || accountOf(event) !== undefined) return undefined;
  const { isNew, waits } = await deps.webhookEvents.takeIn(facts, event);
  if (waits) await deps.signals.announceEvent(eventLine(facts), facts.eventId);
  return isNew;
}
