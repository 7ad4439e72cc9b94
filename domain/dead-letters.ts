/** Work that a person must look at. Nothing is ever dropped: it is done, waiting, or here. */
export const deadLetterKinds = [
  'usage-rejected',
  'usage-parked',
  'storage-day',
  'storage-bill',
  'webhook-event',
] as const;
export type DeadLetterKind = (typeof deadLetterKinds)[number];
export type DeadLetterStatus = 'open' | 'redriven' | 'discarded';

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
  /** The record as it stood (the ledger row, without its life). */
  record: Record<string, unknown>;
}
