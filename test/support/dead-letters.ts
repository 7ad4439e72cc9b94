/** Dead letters of every kind, as something may have laid them aside. */
import type { DeadLetterKind, NewDeadLetter } from '../../domain/dead-letters.ts';
import { deadLetterId } from '../../domain/ids.ts';

type Facts = Partial<Pick<NewDeadLetter, 'customerId' | 'error' | 'attempts' | 'record'>>;

/** `about`: a usage record's identifier, a day, a month, or an event's id. */
export function newLetter(kind: DeadLetterKind, about: string, facts: Facts = {}): NewDeadLetter {
  const all = { customerId: 'cus_1', error: 'it failed', attempts: 1, record: {}, ...facts };
  const id = deadLetterId(kind, about);
  const ofCustomer = deadLetterId(kind, all.customerId, about);
  switch (kind) {
    case 'storage-day':
      return { ...all, id: ofCustomer, kind, subject: { day: about } };
    case 'storage-night':
      return { ...all, id, kind, subject: { day: about } };
    case 'storage-bill':
      return { ...all, id: ofCustomer, kind, subject: { month: about } };
    case 'webhook-event':
      return { ...all, id, kind, subject: { eventId: about } };
    default:
      return { ...all, id, kind, subject: { identifier: about } };
  }
}

/** What a letter is about, in one word. */
export function aboutOf({ subject }: Pick<NewDeadLetter, 'subject'>): string {
  const [about = ''] = Object.values<string>({ ...subject });
  return about;
}
