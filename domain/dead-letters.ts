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

export interface DeadLetter {
  id: string;
  kind: DeadLetterKind;
  /** What it is about: a usage record's identifier, or `<customerId>/<day or month>` of storage. */
  subject: string;
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
