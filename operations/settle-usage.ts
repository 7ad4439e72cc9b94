/**
 * Ends what Stripe's sums cannot tell (DL15): a person has looked, and says whether Stripe has the usage.
 * Three steps, each of which may be the last one before a crash; running it again ends it:
 *
 * 1. `settle`: laid aside → delivered or pending, with the reason in the record's life.
 * 2. Who waits is told: the workflow that made the usage, or the delivery that sends it.
 * 3. Its dead letters are closed. They stay open until all else is done, since open ones are seen.
 */
import { refusalBeforeSending } from '../domain/delivery.ts';
import { deadLetterId, printable } from '../domain/ids.ts';
import { BillingError } from '../domain/errors.ts';
import type { UsageRecord, UsageSettled, UsageSource } from '../domain/usage.ts';
import type { DeadLetters } from '../tables/dead-letters.ts';
import type { UsageLedger } from '../tables/usage-ledger.ts';

export interface SettleDependencies {
  ledger: Pick<UsageLedger, 'get' | 'settle'>;
  deadLetters: Pick<DeadLetters, 'get' | 'close'>;
  announce: (usage: UsageRecord) => Promise<void>;
  tellSource: (source: UsageSource, settled: UsageSettled) => Promise<void>;
  now: () => Date;
}

export interface SettleOrder {
  identifier: string;
  as: 'delivered' | 'resend';
  reason: string;
}

/** Throws BillingError `not_found`, or `conflict` for usage that is not laid aside or too old to be sent. */
export async function settleUsage(
  deps: SettleDependencies,
  { identifier, as, reason }: SettleOrder,
): Promise<UsageRecord> {
  const now = deps.now();
  const found = await deps.ledger.get(identifier);
  if (found === undefined) {
    throw new BillingError('not_found', `no usage record "${printable(identifier)}"`);
  }
  if (as === 'resend') checkResend(found, now);
  const settled = await deps.ledger.settle(found, as, { reason, now: now.toISOString() });
  const record = settled ?? (await standing(deps, identifier, as));
  if (as === 'resend') await deps.announce(record);
  else await deps.tellSource(record.source, { identifier, state: 'delivered' });
  for (const kind of ['usage-parked', 'usage-rejected']) {
    const to = { status: 'settled', reason } as const;
    await deps.deadLetters.close(deadLetterId(kind, identifier), to, deps.now().toISOString());
  }
  return record;
}

/** Stripe would refuse it: that is known before a person's word is taken. */
function checkResend(record: UsageRecord, now: Date): void {
  const refusal = refusalBeforeSending(record, now.getTime());
  if (refusal === undefined) return;
  throw new BillingError('conflict', `usage ${record.identifier} cannot be sent: ${refusal}`);
}

/** It was not laid aside. A run that died after its first step left it as it is asked to be: then go on. */
async function standing(
  { ledger }: SettleDependencies,
  identifier: string,
  as: SettleOrder['as'],
): Promise<UsageRecord> {
  const record = await ledger.get(identifier);
  const began = record?.life.some(({ what }) => what.startsWith('settled'));
  const isAsAsked =
    as === 'delivered' ? record?.state === 'delivered' : record?.state !== 'delivered';
  if (record !== undefined && began === true && isAsAsked) return record;
  throw new BillingError(
    'conflict',
    `usage ${identifier} is ${record?.state ?? 'gone'}: only what is parked or rejected is settled`,
  );
}
