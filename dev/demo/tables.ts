/** The demo's three tables. */
import Table from 'cli-table3';
import { formatMoney, formatUnitAmount, priceOf } from '../../domain/money.ts';
import { catalogItem } from '../../domain/catalog.ts';
import type { Meter } from '../../domain/usage.ts';
import type { AccountState } from './account.ts';
import type { BudgetRun } from './budget.ts';
import { isBilledEqually } from './storage.ts';
import type { StorageSums } from './storage.ts';
import { isEqual } from './sums.ts';
import type { CustomerSums } from './sums.ts';

const plain = { head: [], border: [] };

export function sumsTable(customers: readonly CustomerSums[]): string {
  const table = new Table({
    head: ['Customer', 'Jobs', 'Files', 'Processed', 'Ledger', 'Stripe', 'Equal', 'Amount'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'right'],
    style: plain,
  });
  for (const sums of customers) {
    table.push([
      `${sums.name}\n${sums.customerId}`,
      String(sums.jobs),
      String(sums.files),
      grouped(sums.processedBytes),
      grouped(sums.ledgerBytes),
      grouped(sums.stripeBytes),
      isEqual(sums) ? 'yes' : 'NO',
      dollars('file_processed', sums.ledgerBytes),
    ]);
  }
  return table.toString();
}

export function storageTable(customers: readonly StorageSums[]): string {
  const table = new Table({
    head: ['Customer', 'Days', 'Average', 'Peak', 'Sent', 'Stripe', 'Equal', 'Amount'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'right'],
    style: plain,
  });
  for (const sums of customers) {
    table.push([
      `${sums.name}\n${sums.customerId}`,
      String(sums.days),
      grouped(sums.averageBytes),
      grouped(sums.peakBytes),
      sums.billed ? grouped(sums.averageBytes) : 'not billed',
      grouped(sums.stripeBytes),
      isBilledEqually(sums) ? 'yes' : 'NO',
      dollars('storage-usage', sums.averageBytes),
    ]);
  }
  return table.toString();
}

export function accountTable(accounts: readonly AccountState[]): string {
  const table = new Table({
    head: ['Customer', 'Account', 'Subscription and payment', 'Equal'],
    style: plain,
  });
  for (const { customerId, name, billingStatus, subscriptions, payments, equal } of accounts) {
    const money = ({ amount, currency }: AccountState['payments'][number]): string =>
      formatMoney(BigInt(amount), currency);
    const facts = [
      ...subscriptions.map((row) => `${row.subscriptionId} ${row.status}`),
      ...payments.map((row) => `${row.paymentId} ${row.status} ${money(row)}`),
    ];
    table.push([`${name}\n${customerId}`, billingStatus, facts.join('\n'), equal ? 'yes' : 'NO']);
  }
  return table.toString();
}

/** The casts that ran within the budget, and how one more was refused. */
export function budgetLines({ casts, refusal }: BudgetRun): string {
  const ran = casts.map(
    (cast) => `  202  ${cast.processingId}  ${cast.status}  ${cents(cast.costCents)}`,
  );
  return [...ran, refusal === undefined ? '  casts cost nothing here' : refusedLine(refusal)].join(
    '\n',
  );
}

function refusedLine(refusal: NonNullable<BudgetRun['refusal']>): string {
  const { error, limitCents, usedCents, reservedCents, requestedCents } = refusal;
  return (
    `  402  ${error}: ${cents(requestedCents)} more would pass the limit of ${cents(limitCents)}, ` +
    `of which ${cents(usedCents)} are used and ${cents(reservedCents)} set aside`
  );
}

function cents(amount: number): string {
  return `${amount} ${amount === 1 ? 'cent' : 'cents'}`;
}

/** What an amount comes from: `$0.00001 a byte`, `$0.10 for each GB begun`. */
export function unitPrice(meter: Meter): string {
  const { transform, unitAmountDecimal, currency } = catalogItem(meter).price;
  const unit = formatUnitAmount(unitAmountDecimal, currency);
  return transform === undefined ? `${unit} a byte` : `${unit} for each GB begun`;
}

function dollars(meter: Meter, bytes: string): string {
  const { price } = catalogItem(meter);
  return formatMoney(priceOf(BigInt(bytes), price), price.currency);
}

function grouped(digits: string): string {
  return BigInt(digits).toLocaleString('en-US');
}
