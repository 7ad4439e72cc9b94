/** The activities of `customer` and `catchUpWebhooks`. */
import type Stripe from 'stripe';
import { BillingError } from '../domain/errors.ts';
import { deadLetterId } from '../domain/ids.ts';
import { daysKept, eventLine, readEvent } from '../domain/stripe-events.ts';
import { applyEvents, closeLetter } from './apply-events.ts';
import type { ApplyOutcome } from './apply-events.ts';
import type { Dependencies } from './dependencies.ts';
import { toActivityFailure } from './failures.ts';
import { withHeartbeat } from './heartbeat.ts';

const usualDays = 3;
const dayMs = 86_400_000;

export function createEventActivities(deps: Dependencies) {
  return {
    applyEvents: async (order: { eventIds: string[] }): Promise<ApplyOutcome> =>
      await withHeartbeat(async (cancelled) => await applyEvents(deps, order, cancelled)),
  };
}

export function createWebhookActivities(deps: Dependencies) {
  /**
   * The dead letter first: if we die in between, the event comes here again. `dead` is false for one that
   * was applied after all, by a try that was believed to be lost: then its letter is closed at once.
   */
  async function layAsideEvent(order: {
    eventId: string;
    error: string;
    tries: number;
  }): Promise<{ dead: boolean }> {
    const { eventId, error, tries } = order;
    const event = await deps.webhookEvents.get(eventId);
    await deps.deadLetters.open(
      {
        id: deadLetterId('webhook-event', eventId),
        kind: 'webhook-event',
        subject: eventId,
        customerId: event?.customerId ?? 'none',
        error,
        attempts: tries,
        record: { type: event?.type, createdAt: event?.createdAt, objectId: event?.objectId },
      },
      deps.now().toISOString(),
    );
    const was = await deps.webhookEvents.settle(eventId, 'dead', error);
    if (was === undefined && event !== undefined) {
      await closeLetter(deps, eventId);
      return { dead: false };
    }
    deps.metrics.deadLetters.inc({ kind: 'webhook-event' });
    deps.logger.error(
      { eventId, type: event?.type, reason: error },
      'an event could not be applied',
    );
    return { dead: true };
  }

  /** Every undelivered event since a day, all pages, into the inbox and on to its line. */
  async function catchUpEvents(order: {
    since?: string;
  }): Promise<{ seen: number; added: number }> {
    if (deps.stripe === undefined) {
      throw toActivityFailure(
        new BillingError('billing_disabled', 'billing is off: no Stripe key'),
      );
    }
    const nowMs = deps.now().getTime();
    const askedMs =
      order.since === undefined
        ? nowMs - usualDays * dayMs
        : Date.parse(`${order.since}T00:00:00Z`);
    const sinceMs = Math.max(askedMs, nowMs - daysKept * dayMs);
    const events = deps.stripe.events.list({
      delivery_success: false,
      created: { gte: Math.floor(sinceMs / 1000) },
      limit: 100,
    });
    return await withHeartbeat(async (cancelled) => await takeInAll(deps, events, cancelled));
  }

  return { layAsideEvent, catchUpEvents };
}

async function takeInAll(
  deps: Dependencies,
  events: AsyncIterable<Stripe.Event>,
  cancelled: AbortSignal,
): Promise<{ seen: number; added: number }> {
  let [seen, added] = [0, 0];
  for await (const event of events) {
    cancelled.throwIfAborted();
    const facts = readEvent(event);
    if (facts === undefined) continue;
    seen += 1;
    const { isNew, waits } = await deps.webhookEvents.takeIn(facts, event);
    if (isNew) added += 1;
    if (waits) await deps.signals.announceEvent(eventLine(facts), facts.eventId);
  }
  return { seen, added };
}
