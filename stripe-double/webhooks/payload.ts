import type { Account } from '../account/account.ts';
import { renderEvent } from '../events/snapshot-events.ts';
import { renderNotification } from '../events/thin-events.ts';

/** What is sent for an event: a snapshot with its object, or a thin one that must be fetched. */
export function payloadOf(account: Account, id: string): string | undefined {
  const snapshot = account.events.snapshots.get(id);
  // Stripe sends indented JSON: a receiver that parses and prints it again breaks the signature.
  if (snapshot !== undefined) return JSON.stringify(renderEvent(account, snapshot), null, 2);
  const thin = account.events.thin.get(id);
  return thin === undefined ? undefined : JSON.stringify(renderNotification(thin));
}
