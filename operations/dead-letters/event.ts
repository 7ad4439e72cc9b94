/**
 * Closing the dead letter of an event from Stripe (WH7). The inbox's row is the proof that it was
 * applied, so that a redrive which died at any line is taken up by running it again:
 *
 * 1. `announce` it to its line once more. Twice is once: what is applied is not applied again.
 * 2. wait until the inbox says `applied`, or the letter was opened anew.
 * 3. `close` the letter. It stays open while the event is tried still, since open ones are seen.
 */
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { eventLine } from '../../domain/stripe-events.ts';
import type { InboxEvent, WebhookEvents } from '../../tables/webhook-events.ts';
import { closeUnlessReopened, findLetter } from './letter.ts';
import type { LetterDependencies } from './letter.ts';

type EventLetter = DeadLetter<'webhook-event'>;

export interface EventRedriveDependencies extends LetterDependencies {
  webhookEvents: Pick<WebhookEvents, 'get'>;
  /** To its line, as one that may have been settled before. */
  announceEvent: (line: string, eventId: string) => Promise<void>;
  /** Asks again and again; false when patience ended first. */
  waitUntil: (isOver: () => Promise<boolean>) => Promise<boolean>;
}

export interface EventRedriven {
  id: string;
  eventId: string;
  /** `started`: it is being tried, and not known yet how it ends. */
  outcome: 'redriven' | 'already-redriven' | 'again' | 'started';
  state: InboxEvent['status'];
}

export async function redriveEvent(
  deps: EventRedriveDependencies,
  letter: EventLetter,
): Promise<EventRedriven> {
  const { id } = letter;
  const { eventId } = letter.subject;
  let event = await findEvent(deps, letter);
  if (event.status === 'applied' && letter.status === 'redriven') {
    return { id, eventId, outcome: 'already-redriven', state: 'applied' };
  }
  if (event.status !== 'applied') {
    await deps.announceEvent(eventLine(event), eventId);
    await deps.waitUntil(async () => {
      event = await findEvent(deps, letter);
      return event.status === 'applied' || (await isOpenedAnew(deps, letter));
    });
    event = await findEvent(deps, letter);
  }
  if (event.status === 'applied') {
    // Applied is for good: even a letter that was opened in between has nothing left to say.
    const closing = await findLetter(deps, id);
    const outcome = await closeUnlessReopened(deps, closing);
    return { id, eventId, outcome, state: 'applied' };
  }
  const outcome = (await isOpenedAnew(deps, letter)) ? 'again' : 'started';
  return { id, eventId, outcome, state: event.status };
}

/** Throws BillingError `conflict` for an event that was applied after all. */
export async function checkEventDiscard(
  deps: Pick<EventRedriveDependencies, 'webhookEvents'>,
  letter: EventLetter,
): Promise<void> {
  const event = await deps.webhookEvents.get(letter.subject.eventId);
  if (event?.status !== 'applied') return;
  throw new BillingError(
    'conflict',
    `its event is applied, so a redrive has begun: \`durabill dead-letters redrive ${letter.id}\` ends it`,
  );
}

async function isOpenedAnew(deps: LetterDependencies, letter: EventLetter): Promise<boolean> {
  const { status, updatedAt } = await findLetter(deps, letter.id);
  return status === 'open' && updatedAt !== letter.updatedAt;
}

async function findEvent(
  { webhookEvents }: Pick<EventRedriveDependencies, 'webhookEvents'>,
  { subject: { eventId } }: EventLetter,
): Promise<InboxEvent> {
  const event = await webhookEvents.get(eventId);
  if (event !== undefined) return event;
  throw new BillingError(
    'conflict',
    `the inbox has no event ${eventId} any more: it is kept for 90 days`,
  );
}
