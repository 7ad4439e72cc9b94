/** The activities of `customer` and `catchUpWebhooks`. */
import { deadLetterId } from '../domain/ids.ts';
import { applyEvents, closeLetter } from './apply-events.ts';
import type { ApplyOutcome } from './apply-events.ts';
import { createCatchUpActivities } from './catch-up-events.ts';
import type { Dependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import { createSweepActivities } from './sweep-events.ts';

export function createApplyActivities(deps: Dependencies) {
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

  return { layAsideEvent, ...createCatchUpActivities(deps), ...createSweepActivities(deps) };
}
