/**
 * What a customer's usage of a period comes to in money (GA15): quantities by the ledger, amounts by the
 * catalog's prices, rounded as Stripe rounds, once a meter. What Stripe is known to have stands apart from
 * what is on its way, and from storage that no bill has yet.
 */
import { catalog } from './catalog.ts';
import type { CatalogItem } from './catalog.ts';
import { priceOf } from './money.ts';
import type { DeliveryState, Meter, Usage } from './usage.ts';

/**
 * `delivered`: Stripe has it, and its invoice will have this amount. `waiting`: in the ledger, not confirmed
 * by Stripe. `estimate`: storage of a month that is not billed yet. `refused`: Stripe said never.
 */
export const statementStates = ['delivered', 'waiting', 'estimate'] as const;
type StatementState = (typeof statementStates)[number];

interface Sum {
  records: number;
  quantity: bigint;
}

/** By meter and by what Stripe knows of it. */
export type UsageSums = Map<Meter, Record<'delivered' | 'waiting' | 'refused', Sum>>;

interface StatementLine {
  meter: Meter;
  /** The product's, as the invoice names it. */
  name: string;
  state: StatementState;
  records: number;
  /** Digits. */
  quantity: string;
  /** Cents, digits: what this line adds to those before it of the same meter. */
  amountCents: string;
}

export interface Statement {
  lines: StatementLine[];
  totalCents: string;
  /** Usage that Stripe refused: no invoice has it, and a person looks at it. */
  refused: { meter: Meter; records: number; quantity: string }[];
  deliveriesWaiting: number;
}

const standings: Readonly<Record<DeliveryState, 'delivered' | 'waiting' | 'refused'>> = {
  delivered: 'delivered',
  pending: 'waiting',
  sending: 'waiting',
  // A person decides; it may yet be sent.
  parked: 'waiting',
  rejected: 'refused',
};

export function noUsage(): UsageSums {
  const none = (): Sum => ({ records: 0, quantity: 0n });
  return new Map(
    catalog.map(({ meter: { eventName } }) => [
      eventName,
      { delivered: none(), waiting: none(), refused: none() },
    ]),
  );
}

/** Adds a record of the ledger to the sums. */
export function addUsage(
  sums: UsageSums,
  { meter, quantity, state }: Pick<Usage, 'meter' | 'quantity'> & { state: DeliveryState },
): void {
  const sum = sums.get(meter)?.[standings[state]];
  if (sum === undefined) throw new Error(`the catalog has no meter ${meter}`);
  sum.records += 1;
  sum.quantity += BigInt(quantity);
}

/** `storageEstimate` is what is stored on average in months that end in the period and have no bill. */
export function statementOf(sums: UsageSums, storageEstimate: bigint | undefined): Statement {
  const lines = catalog.flatMap((item) => linesOf(item, sums, storageEstimate));
  const all = [...sums];
  return {
    lines,
    totalCents: String(lines.reduce((total, { amountCents }) => total + BigInt(amountCents), 0n)),
    refused: all
      .filter(([, { refused }]) => refused.records > 0)
      .map(([meter, { refused }]) => ({
        meter,
        records: refused.records,
        quantity: String(refused.quantity),
      })),
    deliveriesWaiting: all.reduce((total, [, { waiting }]) => total + waiting.records, 0),
  };
}

/** Stripe prices the sum of a period: a line's amount is what the sum up to it costs more than before. */
function linesOf(
  { meter: { eventName }, product, price }: CatalogItem,
  sums: UsageSums,
  storageEstimate: bigint | undefined,
): StatementLine[] {
  const own = sums.get(eventName);
  if (own === undefined) return [];
  const estimate = eventName === 'storage-usage' ? storageEstimate : undefined;
  const parts: [StatementState, Sum][] = [['delivered', own.delivered]];
  if (own.waiting.records > 0) parts.push(['waiting', own.waiting]);
  if (estimate !== undefined) parts.push(['estimate', { records: 0, quantity: estimate }]);
  let before = 0n;
  return parts.map(([state, { records, quantity }]) => {
    const amount = priceOf(before + quantity, price) - priceOf(before, price);
    before += quantity;
    return {
      meter: eventName,
      name: product.name,
      state,
      records,
      quantity: String(quantity),
      amountCents: String(amount),
    };
  });
}
