/** Inbox, then signal: what is answered with 200 is in the inbox and announced (WH2, I5). */
import { BillingError } from '../domain/errors.ts';
import { accountOf, effectOf, eventLine, readEvent } from '../domain/stripe-events.ts';
import type { StripeEventFacts } from '../domain/stripe-events.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { WebhookEvents } from '../tables/webhook-events.ts';

export interface EventReceiver {
  webhookEvents: Pick<WebhookEvents, 'takeIn'>;
  /** Signal-with-start under the event's id. */
  announceEvent: (line: string, eventId: string) => Promise<void>;
  metrics: Metrics;
  /** Of our Stripe key: test and live are never mixed. */
  livemode: boolean;
  /** Our own account; unknown, an event that names any account is another's. */
  account?: string | undefined;
}

/** Throws BillingError for what is no Stripe event, or is of the other mode. */
export async function receiveEvent(
  { webhookEvents, announceEvent, metrics, livemode, account }: EventReceiver,
  event: unknown,
): Promise<{ outcome: 'accepted' | 'duplicate' | 'ignored' }> {
  const facts = readEvent(event);
  const count = (outcome: string): void => {
    const type = facts === undefined || effectOf(facts.type) === 'ignored' ? 'other' : facts.type;
    metrics.webhooks.inc({ type, outcome });
  };
  if (facts === undefined) {
    count('malformed');
    throw new BillingError('invalid_request', 'the body is not a Stripe event');
  }
  if (facts.livemode !== livemode) {
    count('wrong_mode');
    const [its, ours] = facts.livemode ? ['live', 'test'] : ['test', 'live'];
    throw new BillingError('invalid_request', `a ${its} event, but our key is a ${ours} one`);
  }
  // 400 would make Stripe come again for days and switch the endpoint off (WH12).
  if ((accountOf(event) ?? account) !== account) {
    count('other_account');
    return { outcome: 'ignored' };
  }
  const { isNew, waits } = await webhookEvents.takeIn(facts, event);
  if (effectOf(facts.type) === 'ignored') {
    count('ignored');
    return { outcome: 'ignored' };
  }
  // A repeat of what is still waiting is announced again: the first answer may have been lost.
  if (waits) await announce(announceEvent, facts);
  count(isNew ? 'accepted' : 'duplicate');
  return { outcome: isNew ? 'accepted' : 'duplicate' };
}

/** Without Temporal the event is safe in the inbox, yet not on its way: Stripe must come again (WH2). */
async function announce(
  announceEvent: EventReceiver['announceEvent'],
  facts: StripeEventFacts,
): Promise<void> {
  try {
    await announceEvent(eventLine(facts), facts.eventId);
  } catch (error) {
    throw new BillingError('unavailable', 'the workflow engine does not answer: try again', {
      cause: error,
    });
  }
}
