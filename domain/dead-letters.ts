/** Work that a person must look at. Nothing is ever dropped: it is done, waiting, or here. */
import { BillingError } from './errors.ts';

export const deadLetterKinds = [
  'usage-rejected',
  'usage-parked',
  'usage-unrecorded',
  'storage-day',
  'storage-night',
  'storage-bill',
  'webhook-event',
] as const;
export type DeadLetterKind = (typeof deadLetterKinds)[number];
export const deadLetterStatuses = ['open', 'redriven', 'settled', 'discarded'] as const;
export type DeadLetterStatus = (typeof deadLetterStatuses)[number];

interface UsageSubject {
  identifier: string;
}
interface DaySubject {
  /** YYYY-MM-DD */
  day: string;
}
interface MonthSubject {
  /** YYYY-MM */
  month: string;
}
interface EventSubject {
  eventId: string;
}

/** What the letters of each kind are about; whose it is stands beside it. */
interface Subjects {
  'usage-rejected': UsageSubject;
  'usage-parked': UsageSubject;
  'usage-unrecorded': UsageSubject;
  'storage-day': DaySubject;
  'storage-night': DaySubject;
  'storage-bill': MonthSubject;
  'webhook-event': EventSubject;
}

interface DeadLetterFacts {
  id: string;
  /** Empty where it is about everybody, or where nobody can tell. */
  customerId: string;
  error: string;
  attempts: number;
  status: DeadLetterStatus;
  /** When it was first laid aside. */
  createdAt: string;
  updatedAt: string;
  discardReason?: string;
  /** Why a person settled the usage that it is about (DL15). */
  settleReason?: string;
  /** The record as it stood (the ledger row, without its life). */
  record: Record<string, unknown>;
}

/** Of one kind, or of whichever. */
export type DeadLetter<Kind extends DeadLetterKind = DeadLetterKind> = Kind extends DeadLetterKind
  ? DeadLetterFacts & { kind: Kind; subject: Subjects[Kind] }
  : never;

/** As it is laid aside: the rest is its life. */
export type NewDeadLetter<Kind extends DeadLetterKind = DeadLetterKind> =
  Kind extends DeadLetterKind
    ? Pick<
        DeadLetter<Kind>,
        'id' | 'kind' | 'subject' | 'customerId' | 'error' | 'attempts' | 'record'
      >
    : never;

/** What ends a doubt that only a person can end (DL15), for the dead letter's text. */
export function clearsUp(identifier: string): string {
  const settle = `durabill usage settle ${identifier}`;
  return (
    'Look for its minute in Stripe’s dashboard. ' +
    `There: ${settle} --as delivered --reason TEXT. Not there: ${settle} --resend --reason TEXT`
  );
}

const longestReason = 500;

/** Why one was discarded or settled, for whoever asks later. */
export function parseDiscardReason(value: string): string {
  const reason = value.trim();
  if (reason !== '' && reason.length <= longestReason && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(reason)) {
    return reason;
  }
  throw new BillingError(
    'invalid_request',
    `the reason must be 1 to ${longestReason} characters on one line`,
  );
}
