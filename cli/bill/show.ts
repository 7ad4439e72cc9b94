/** `durabill bill show`: why this line is on the invoice. */
import { BillingError } from '../../domain/errors.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { describeBill, explainPrice, storageCents } from './rows.ts';
import type { Context } from '../shell/context.ts';
import { facts, state } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { drawDays } from '../storage/show.ts';
import { describeUsage, findLetters } from '../usage/rows.ts';

export async function showBill(
  context: Context,
  { customerId, month }: { customerId: string; month: string },
): Promise<Answer> {
  const tables = await context.tables();
  const bill = await tables.storageMonthly.get(customerId, month);
  if (bill === undefined) {
    const advice = `durabill bill month --month ${month} --dry-run shows what would be billed`;
    throw new BillingError('not_found', `no bill of ${customerId} for ${month}: ${advice}`);
  }
  const [days, usage, letter, letters] = await Promise.all([
    tables.storageDaily.ofMonth(customerId, month),
    tables.ledger.get(bill.stripeMeterEventId),
    tables.deadLetters.get(deadLetterId('storage-bill', customerId, month)),
    findLetters(tables, bill.stripeMeterEventId),
  ]);
  const found = letter === undefined ? letters : [letter, ...letters];
  const counted = days.filter(({ date }) => bill.countedDays.includes(date));
  const priceCents = storageCents(bill.stripeMeterAmount);
  const parts = [
    describeBill(bill),
    ...(letter === undefined
      ? []
      : [facts([['dead letter', `${letter.id} (${state(letter.status)}): ${letter.error}`]])]),
    counted.length === 0 ? 'Its days have expired.' : drawDays(counted),
    usage === undefined
      ? 'The ledger has no usage record of it yet.'
      : describeUsage(usage, letters),
  ];
  return {
    json: {
      bill,
      priceCents,
      price: explainPrice(bill.stripeMeterAmount),
      days: counted,
      usage: usage ?? null,
      deadLetters: found,
    },
    text: parts.join('\n\n'),
  };
}
