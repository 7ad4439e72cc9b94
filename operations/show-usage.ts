/** `GET /v1/usage`: what a customer used in a period, and what that comes to (GA15). Stripe is not asked. */
import type { UsageCounter } from '../domain/budgets.ts';
import { BillingError } from '../domain/errors.ts';
import { storageIdentifier } from '../domain/ids.ts';
import { dayOf, lastSecondOf, monthOf, monthsIn, parseMonth, spanOf } from '../domain/period.ts';
import { monthFigures } from '../domain/storage.ts';
import type { AverageOver } from '../domain/storage.ts';
import { addUsage, noUsage, statementOf } from '../domain/usage-statement.ts';
import type { Statement } from '../domain/usage-statement.ts';
import type { Customers } from '../tables/customers.ts';
import type { Spending } from '../tables/spending.ts';
import type { StorageDaily, StorageDay } from '../tables/storage-daily.ts';
import type { Subscriptions } from '../tables/subscriptions.ts';
import type { UsageLedger } from '../tables/usage-ledger.ts';
import { livingSubscription } from './billing.ts';

export interface UsageDependencies {
  ledger: Pick<UsageLedger, 'get' | 'quantitiesOf'>;
  storageDaily: Pick<StorageDaily, 'ofMonth'>;
  spending: Pick<Spending, 'get'>;
  customers: Pick<Customers, 'standingOf'>;
  subscriptions: Pick<Subscriptions, 'get'>;
  averageOver: AverageOver;
  now: () => Date;
}

interface UsagePeriod {
  /** A subscription's own, at whose end Stripe invoices; or a calendar month (UTC). */
  kind: 'service' | 'month';
  start: string;
  /** Not included. */
  end: string;
  subscriptionId?: string;
}

export interface UsageShown {
  period: UsagePeriod;
  statement: Statement;
  /** Days of the period that were measured. */
  days: StorageDay[];
  /** Cents of casts; counted by calendar month. */
  casts: Pick<UsageCounter, 'period' | 'usedCents' | 'reservedCents'>;
}

/** `month` (YYYY-MM) is a calendar month; without it the period that runs. Throws BillingError. */
export async function showUsage(
  deps: UsageDependencies,
  customerId: string,
  month: string | undefined,
): Promise<UsageShown> {
  const thisMonth = monthOf(dayOf(deps.now().getTime()));
  if (month !== undefined && parseMonth(month) > thisMonth) {
    throw new BillingError('invalid_request', `month: ${month} has not begun`);
  }
  const period = await periodOf(deps, customerId, month, thisMonth);
  const months = monthsIn(period);
  const sums = noUsage();
  const [perMonth, counter] = await Promise.all([
    Promise.all(months.map(async (one) => await deps.storageDaily.ofMonth(customerId, one))),
    deps.spending.get(customerId, month ?? thisMonth),
    (async () => {
      const records = deps.ledger.quantitiesOf(customerId, period.start, period.end);
      for await (const record of records) addUsage(sums, record);
    })(),
  ]);
  const stored = new Map(months.map((one, index) => [one, perMonth[index] ?? []]));
  const estimate = await estimateStorage(deps, customerId, period, stored);
  const { usedCents = 0, reservedCents = 0 } = counter ?? {};
  return {
    period,
    statement: statementOf(sums, estimate),
    days: perMonth.flat().filter(({ date }) => isWithin(period, `${date}T00:00:00.000Z`)),
    casts: { period: month ?? thisMonth, usedCents, reservedCents },
  };
}

async function periodOf(
  deps: UsageDependencies,
  customerId: string,
  month: string | undefined,
  thisMonth: string,
): Promise<UsagePeriod> {
  if (month !== undefined) return { kind: 'month', ...spanOf(month) };
  const subscription = await livingSubscription(deps, customerId);
  const { subscriptionId, currentPeriodStart: start, currentPeriodEnd: end } = subscription ?? {};
  if (subscriptionId === undefined || start === undefined || end === undefined) {
    return { kind: 'month', ...spanOf(thisMonth) };
  }
  return { kind: 'service', start, end, subscriptionId };
}

/**
 * A month of storage is used in its last second (SB11): it is of the period that holds that second. While it has
 * no record, its average so far is what it would be billed as.
 */
async function estimateStorage(
  { ledger, averageOver }: UsageDependencies,
  customerId: string,
  period: UsagePeriod,
  stored: ReadonlyMap<string, StorageDay[]>,
): Promise<bigint | undefined> {
  let estimate: bigint | undefined;
  for (const [month, days] of stored) {
    if (days.length === 0 || !isWithin(period, lastSecondOf(month))) continue;
    if ((await ledger.get(storageIdentifier(customerId, month))) !== undefined) continue;
    const { averageStorageBytes } = monthFigures(month, days, averageOver);
    estimate = (estimate ?? 0n) + BigInt(averageStorageBytes);
  }
  return estimate;
}

function isWithin({ start, end }: UsagePeriod, at: string): boolean {
  return start <= at && at < end;
}
