/** Whether what was billed is what was processed (I1, I2): no figure counts without it. */
import type { Processed } from './options.ts';
import type { Check } from '../support/benchmark.ts';
import type { BenchStack } from '../support/stack.ts';

const meter = 'file_processed';
const always = { from: '0000', to: '9999' };

export async function checkBilled(stack: BenchStack, processed: Processed): Promise<Check[]> {
  const sums = await stack.stripe.sums();
  const atStripe = new Map(
    sums.filter(({ eventName }) => eventName === meter).map((sum) => [sum.customer, sum.total]),
  );
  const strangers = [...atStripe.keys()].filter((customerId) => !processed.has(customerId));
  const wrong: string[] = strangers.map((customerId) => `${customerId} was billed for nothing`);
  const undelivered: string[] = [];
  let records = 0;
  let total = 0n;
  for (const [customerId, bytes] of processed) {
    let inLedger = 0n;
    for await (const record of stack.ledger.ofCustomer(customerId, always.from, always.to)) {
      records += 1;
      inLedger += BigInt(record.quantity);
      if (record.state !== 'delivered') undelivered.push(`${record.identifier} is ${record.state}`);
    }
    total += bytes;
    const stripe = atStripe.get(customerId) ?? '0';
    if (inLedger !== bytes || stripe !== String(bytes)) {
      wrong.push(`${customerId}: files ${bytes}, ledger ${inLedger}, Stripe ${stripe}`);
    }
  }
  return [
    {
      name: 'Stripe = ledger = bytes of the files',
      ok: wrong.length === 0,
      detail: few(wrong) ?? `${processed.size} customers, ${total} bytes`,
    },
    {
      name: 'every ledger row delivered',
      ok: undelivered.length === 0,
      detail: few(undelivered) ?? `${records} rows`,
    },
  ];
}

function few(troubles: readonly string[]): string | undefined {
  if (troubles.length === 0) return undefined;
  const more = troubles.length > 5 ? `; and ${troubles.length - 5} more` : '';
  return `${troubles.slice(0, 5).join('; ')}${more}`;
}
