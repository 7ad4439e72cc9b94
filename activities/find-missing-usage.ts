/**
 * Finds usage that Stripe took and does not count: of each customer with records of a meter that were
 * delivered in a span of time, Stripe's sum over their minutes is compared with the ledger's (WH14).
 */
import type Stripe from 'stripe';
import { minuteOf } from '../domain/delivery.ts';
import type { MeterErrorReport } from '../domain/meter-error-report.ts';
import type { UsageRecord } from '../domain/usage.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import type { Dependencies } from './dependencies.ts';

/** Stripe judges what came a while before, and our clock is not its clock. */
const leewayMs = 15 * 60_000;
/** Named in the reason: it is a dead letter's, for a person. */
const mostNamed = 20;
const mostIdentifiers = 5;

type Delivered = Pick<
  UsageRecord,
  'identifier' | 'customerId' | 'meter' | 'occurredAt' | 'quantity'
>;

/** A sentence for each customer and meter whose sums differ. */
export async function findMissing(
  deps: Dependencies,
  stripe: Stripe,
  report: Pick<MeterErrorReport, 'from' | 'to'>,
  meterId: string | undefined,
): Promise<string[]> {
  const meters = await metersOf(stripe, meterId);
  const { groups, unreadable } = await deliveredWithin(deps, report);
  const missing = unreadable.slice(0, mostNamed);
  for (const records of groups.values()) {
    const [first] = records;
    const id = first === undefined ? undefined : meters.get(first.meter);
    if (first === undefined || id === undefined) continue;
    const said = await compare(deps, stripe, id, records);
    if (said !== undefined) missing.push(said);
    if (missing.length >= mostNamed) break;
  }
  return missing;
}

/** The meter that the report is about, or all of them. */
async function metersOf(stripe: Stripe, id: string | undefined): Promise<Map<string, string>> {
  if (id !== undefined) {
    const meter = await stripe.billing.meters.retrieve(id);
    return new Map([[meter.event_name, meter.id]]);
  }
  const found = new Map<string, string>();
  for await (const meter of stripe.billing.meters.list({ status: 'active', limit: 100 })) {
    found.set(meter.event_name, meter.id);
  }
  return found;
}

/** By customer and meter: what we believe Stripe to have, of what it got in that time; and what is not known. */
async function deliveredWithin(
  deps: Dependencies,
  { from, to }: Pick<MeterErrorReport, 'from' | 'to'>,
): Promise<{ groups: Map<string, Delivered[]>; unreadable: string[] }> {
  const nowMs = deps.now().getTime();
  const start = new Date(Date.parse(from ?? '') || nowMs - 86_400_000);
  const end = new Date(Date.parse(to ?? '') || nowMs);
  const groups = new Map<string, Delivered[]>();
  const unreadable: string[] = [];
  for await (const record of deps.ledger.deliveredBetween(
    new Date(start.getTime() - leewayMs).toISOString(),
    new Date(end.getTime() + leewayMs).toISOString(),
  )) {
    if (record instanceof UnreadableRow) {
      unreadable.push(record.message);
      continue;
    }
    const key = `${record.customerId}/${record.meter}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return { groups, unreadable };
}

async function compare(
  deps: Dependencies,
  stripe: Stripe,
  meterId: string,
  records: readonly Delivered[],
): Promise<string | undefined> {
  const [first] = records;
  if (first === undefined) return undefined;
  const { customerId, meter } = first;
  const times = records.map(({ occurredAt }) => occurredAt).toSorted();
  const { startSeconds } = minuteOf(times[0] ?? '');
  const { endSeconds } = minuteOf(times.at(-1) ?? '');
  const theirs = await stripeSum(stripe, meterId, { customerId, startSeconds, endSeconds });
  let ours = 0n;
  const [from, to] = [startSeconds, endSeconds].map((at) => new Date(at * 1000).toISOString());
  for await (const record of deps.ledger.ofCustomer(customerId, from ?? '', to ?? '')) {
    const counts = record.meter === meter && record.state === 'delivered';
    if (counts) ours += BigInt(record.quantity);
  }
  if (theirs >= ours) return undefined;
  const named = records.slice(0, mostIdentifiers).map(({ identifier }) => identifier);
  const more = records.length > named.length ? ` and ${records.length - named.length} more` : '';
  return (
    `${customerId} ${meter} ${from} to ${to}: Stripe has ${theirs} of ${ours}, ` +
    `${ours - theirs} are missing (among ${named.join(', ')}${more})`
  );
}

async function stripeSum(
  stripe: Stripe,
  meterId: string,
  of: { customerId: string; startSeconds: number; endSeconds: number },
): Promise<bigint> {
  let sum = 0n;
  for await (const { aggregated_value: value } of stripe.billing.meters.listEventSummaries(
    meterId,
    {
      customer: of.customerId,
      start_time: of.startSeconds,
      end_time: of.endSeconds,
    },
  )) {
    sum += BigInt(Math.round(value));
  }
  return sum;
}
