/** Asks Stripe's sums whether usage that may have arrived has arrived (DL2, DL14). */
import pLimit from 'p-limit';
import type Stripe from 'stripe';
import { minuteOf } from '../domain/delivery.ts';
import { judgeMinute } from '../domain/stripe-sums.ts';
import type { Judgement } from '../domain/stripe-sums.ts';
import type { UsageRecord } from '../domain/usage.ts';
import type { Dependencies } from './dependencies.ts';

const readsAtOnce = 20;

/** Stripe knows no such meter: what was sent for it can not be asked about. */
export class NoMeter extends Error {}

export interface Asked {
  judgement: Judgement;
  /** Of the record's minute, itself included, as the ledger has them now. */
  records: UsageRecord[];
}

/** Throws what Stripe's SDK throws, or `NoMeter`. */
export async function askSums(
  deps: Dependencies,
  stripe: Stripe,
  record: UsageRecord,
): Promise<Asked> {
  // The ledger is read first: what is delivered after that is called for, and so puts the question off.
  const records = await sameMinute(deps, record);
  const stripeTotal = await stripesTotal(stripe, record);
  const judgement = judgeMinute({ stripeTotal, records }, deps.now().getTime());
  return { judgement, records };
}

/**
 * The records of one customer, meter and minute. An index may lag behind: it tells which they are, and
 * each is read as it is.
 */
async function sameMinute(deps: Dependencies, record: UsageRecord): Promise<UsageRecord[]> {
  const { startSeconds, endSeconds } = minuteOf(record.occurredAt);
  const from = new Date(startSeconds * 1000).toISOString();
  const to = new Date(endSeconds * 1000).toISOString();
  const identifiers = new Set([record.identifier]);
  for await (const other of deps.ledger.namesOf(record.customerId, from, to)) {
    if (other.meter === record.meter) identifiers.add(other.identifier);
  }
  const atOnce = pLimit(readsAtOnce);
  const read = async (identifier: string) => await deps.ledger.get(identifier);
  const found = await Promise.all([...identifiers].map((identifier) => atOnce(read, identifier)));
  return found.filter((row) => row !== undefined);
}

/** Digits; undefined when Stripe's number is not exact: it is a JSON number, and past 2^53 it proves nothing. */
async function stripesTotal(stripe: Stripe, record: UsageRecord): Promise<string | undefined> {
  const { startSeconds, endSeconds } = minuteOf(record.occurredAt);
  const meterId = await findMeterId(stripe, record.meter);
  let total = 0n;
  const summaries = stripe.billing.meters.listEventSummaries(meterId, {
    customer: record.customerId,
    start_time: startSeconds,
    end_time: endSeconds,
  });
  for await (const summary of summaries) {
    if (!Number.isSafeInteger(summary.aggregated_value)) return undefined;
    total += BigInt(summary.aggregated_value);
  }
  return String(total);
}

async function findMeterId(stripe: Stripe, eventName: string): Promise<string> {
  for await (const meter of stripe.billing.meters.list({ status: 'active', limit: 100 })) {
    if (meter.event_name === eventName) return meter.id;
  }
  throw new NoMeter(`Stripe has no active meter for ${eventName}`);
}
