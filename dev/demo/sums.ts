/** The three sums that must be equal: bytes processed, usage recorded, usage received by Stripe. */
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { catalog } from '../../domain/catalog.ts';
import { amountOf, formatMoney } from '../../domain/money.ts';
import type { ProcessingHistory } from '../../tables/processing-history.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import type { StripeControl } from '../stripe/control.ts';
import type { DemoCustomer } from './customers.ts';

/** Bytes as strings of digits. */
export interface CustomerSums {
  customerId: string;
  name: string;
  jobs: number;
  files: number;
  processedBytes: string;
  ledgerBytes: string;
  stripeBytes: string;
  /** Records not yet received by Stripe. */
  waiting: number;
  amountCents: string;
}

export function isEqual(sums: CustomerSums): boolean {
  const { processedBytes, ledgerBytes, stripeBytes, waiting } = sums;
  return waiting === 0 && processedBytes === ledgerBytes && ledgerBytes === stripeBytes;
}

interface Sources {
  processings: ProcessingHistory;
  ledger: UsageLedger;
  stripe: StripeControl;
}

/** Asked again until they are equal or the deadline (ms since the epoch) has passed. */
export async function collectSums(
  sources: Sources,
  customers: readonly DemoCustomer[],
  deadlineMs: number,
): Promise<CustomerSums[]> {
  for (;;) {
    const sums = await Promise.all(
      customers.map(async (customer) => await sumsOf(sources, customer)),
    );
    if (sums.every(isEqual) || Date.now() > deadlineMs) return sums;
    await delay(250);
  }
}

async function sumsOf(sources: Sources, customer: DemoCustomer): Promise<CustomerSums> {
  const { customerId, name } = customer;
  let [jobs, files, processed, recorded, waiting] = [0, 0, 0n, 0n, 0];
  for await (const row of sources.processings.list(customerId)) {
    if (row.status !== 'completed') continue;
    jobs += 1;
    files += row.fileCount;
    processed += BigInt(row.totalBytes ?? 0);
  }
  const always = ['0000', '9999'] as const;
  for await (const record of sources.ledger.ofCustomer(customerId, ...always)) {
    if (record.meter !== 'file_processed') continue;
    recorded += BigInt(record.quantity);
    if (record.state !== 'delivered') waiting += 1;
  }
  const price = catalog.find((item) => item.meter.eventName === 'file_processed')?.price;
  return {
    customerId,
    name,
    jobs,
    files,
    processedBytes: String(processed),
    ledgerBytes: String(recorded),
    stripeBytes: await sources.stripe.total(customerId, 'file_processed'),
    waiting,
    amountCents: String(amountOf(recorded, price?.unitAmountDecimal ?? '0')),
  };
}

export function sumsTable(customers: readonly CustomerSums[]): string {
  const right = { hAlign: 'right' } as const;
  const table = new Table({
    head: ['Customer', 'Jobs', 'Files', 'Processed', 'Ledger', 'Stripe', 'Equal', 'Amount'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left', 'right'],
    style: { head: [], border: [] },
  });
  for (const sums of customers) {
    table.push([
      `${sums.name}\n${sums.customerId}`,
      { ...right, content: String(sums.jobs) },
      { ...right, content: String(sums.files) },
      { ...right, content: grouped(sums.processedBytes) },
      { ...right, content: grouped(sums.ledgerBytes) },
      { ...right, content: grouped(sums.stripeBytes) },
      isEqual(sums) ? 'yes' : 'NO',
      { ...right, content: formatMoney(BigInt(sums.amountCents), 'usd') },
    ]);
  }
  return table.toString();
}

function grouped(digits: string): string {
  return BigInt(digits).toLocaleString('en-US');
}
