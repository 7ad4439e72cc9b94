/** An event that cannot be applied waits for a person (WH6, SB19). */
import { deadLetterId } from '../domain/ids.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import { closeLetter } from './apply-events.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';

export interface EventAside {
  eventId: string;
  error: string;
  tries: number;
}

/**
 * The dead letter first: if we die in between, the event comes here again. `dead` is false for one that
 * was applied after all, by a try that was believed to be lost: then its letter is closed at once.
 */
export async function layAsideEvent(
  deps: Dependencies,
  { eventId, error, tries }: EventAside,
): Promise<{ dead: boolean }> {
  const event = await whatIsKnown(deps, eventId);
  const letter = {
    id: deadLetterId('webhook-event', eventId),
    kind: 'webhook-event' as const,
    subject: { eventId },
    customerId: event?.customerId ?? 'none',
    error,
    attempts: tries,
    record: { type: event?.type, createdAt: event?.createdAt, objectId: event?.objectId },
  };
  const dead = await openDeadLetter(deps, letter, async () => {
    const was = await deps.webhookEvents.settle(eventId, 'dead', error);
    return was !== undefined || event === undefined;
  });
  if (!dead) {
    await closeLetter(deps, eventId);
    return { dead: false };
  }
  deps.logger.error({ eventId, type: event?.type, reason: error }, 'an event could not be applied');
  return { dead: true };
}

/** Of a row that cannot be read only whose it is, if that. */
async function whatIsKnown(
  { webhookEvents }: Dependencies,
  eventId: string,
): Promise<Partial<InboxEvent> | undefined> {
  try {
    return await webhookEvents.get(eventId);
  } catch (error) {
    if (!(error instanceof UnreadableRow)) throw error;
    return error.customerId === undefined ? {} : { customerId: error.customerId };
  }
}
