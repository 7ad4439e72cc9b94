/** How a storage bill, its average and its price are shown to people. */
import { catalogItem } from '../../domain/catalog.ts';
import { formatMoney, formatUnitAmount, packsOf, priceOf } from '../../domain/money.ts';
import { daysOf } from '../../domain/period.ts';
import type { AverageOver } from '../../domain/storage.ts';
import type { StorageBill } from '../../tables/storage-monthly.ts';
import { count, facts, humanBytes, state, time } from '../shell/output.ts';

/** What Stripe's price makes of a quantity of the storage meter, whole cents as digits. */
export function storageCents(bytes: string): string {
  return String(priceOf(BigInt(bytes), catalogItem('storage-usage').price));
}

export function dollars(cents: string): string {
  return formatMoney(BigInt(cents), catalogItem('storage-usage').price.currency);
}

/** `$0.30 (3 GB begun at $0.10)` */
export function explainPrice(bytes: string): string {
  const { transform, unitAmountDecimal, currency } = catalogItem('storage-usage').price;
  const shown = dollars(storageCents(bytes));
  if (transform === undefined) return shown;
  const packs = String(packsOf(BigInt(bytes), transform));
  const unit = formatUnitAmount(unitAmountDecimal, currency);
  return `${shown} (${count(packs)} GB begun at ${unit}, 1 GB = ${count(transform.divideBy)} bytes)`;
}

/** `1,000 bytes summed ÷ 3 recorded days = 333` */
function explainAverage(bill: {
  billingMonth: string;
  dailyUsageSum: string;
  totalStorageDays: number;
  averageStorageBytes: string;
  averageOver: AverageOver;
}): string {
  const over =
    bill.averageOver === 'calendar-days'
      ? `${daysOf(bill.billingMonth).length} calendar days`
      : `${bill.totalStorageDays} recorded days`;
  const { dailyUsageSum, averageStorageBytes } = bill;
  return `${count(dailyUsageSum)} bytes summed ÷ ${over} = ${count(averageStorageBytes)}, rounded half up`;
}

export function describeBill(bill: StorageBill): string {
  const withUnits = (bytes: string) => `${count(bytes)} bytes (${humanBytes(bytes)})`;
  const sent = bill.stripeMeterSentAt;
  return facts([
    ['bill', `${bill.customerId} ${bill.billingMonth}`],
    ['status', state(bill.billingStatus)],
    ['days', count(bill.totalStorageDays)],
    ['average', withUnits(bill.averageStorageBytes)],
    ['how', explainAverage(bill)],
    ['peak', withUnits(bill.peakStorageBytes)],
    ['for Stripe', `${count(bill.stripeMeterAmount)} bytes, ${bill.stripeMeterStatus}`],
    ['sent', sent === undefined ? undefined : `${time(sent)} UTC`],
    ['identifier', bill.stripeMeterEventId],
    ['price', explainPrice(bill.stripeMeterAmount)],
    ['calculated', `${time(bill.calculatedAt)} UTC`],
    ['notes', bill.notes],
  ]);
}
