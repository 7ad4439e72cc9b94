/** The three sums that must be equal: bytes processed, usage recorded, usage received by Stripe. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessingHistory } from '../../tables/processing-history.ts';
import type { UsageLedger } from '../../tables/usage-ledger.ts';
import type { StripeControl } from '../../stripe-double/control.ts';
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
  return {
    customerId,
    name,
    jobs,
    files,
    processedBytes: String(processed),
    ledgerBytes: String(recorded),
    stripeBytes: await sources.stripe.total(customerId, 'file_processed'),
    waiting,
  };
}
