/** The demo's two tables. */
import Table from 'cli-table3';
import { formatMoney, priceOf } from '../../domain/money.ts';
import { catalogItem } from '../../domain/catalog.ts';
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

function dollars(meter: 'file_processed' | 'storage-usage', bytes: string): string {
  const { price } = catalogItem(meter);
  return formatMoney(priceOf(BigInt(bytes), price), price.currency);
}

function grouped(digits: string): string {
  return BigInt(digits).toLocaleString('en-US');
}
