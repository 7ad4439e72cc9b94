/** `durabill storage show`: a customer's days of a month, and what they were billed as. */
import { monthOf, dayOf } from '../../domain/period.ts';
import type { StorageDay } from '../../tables/storage-daily.ts';
import type { Context } from '../shell/context.ts';
import { count, humanBytes, state, table } from '../shell/output.ts';
import type { Answer } from '../shell/perform.ts';
import { describeBill } from '../bill/rows.ts';

export async function showStorage(
  context: Context,
  { customerId, month: given }: { customerId: string; month: string | undefined },
): Promise<Answer> {
  const month = given ?? monthOf(dayOf(context.now().getTime()));
  const { storageDaily, storageMonthly } = await context.tables();
  const [days, bill] = await Promise.all([
    storageDaily.ofMonth(customerId, month),
    storageMonthly.get(customerId, month),
  ]);
  const none = `No snapshot of ${customerId} in ${month}.`;
  const drawn = days.length === 0 ? none : drawDays(days);
  return {
    json: { customerId, month, days, bill: bill ?? null },
    text: bill === undefined ? drawn : `${drawn}\n\n${describeBill(bill)}`,
  };
}

export function drawDays(days: readonly StorageDay[]): string {
  const rows = days.map((day) => [
    day.date,
    count(day.totalStorageBytesInput),
    count(day.totalStorageBytesOutput),
    count(day.totalStorageBytes),
    humanBytes(day.totalStorageBytes),
    count(day.totalFileCount),
    state(day.billingStatus),
    day.measuredLate === true ? `late, on ${day.calculatedAt.slice(0, 10)}` : 'on its day',
  ]);
  return table(
    [
      { title: 'Day (UTC)' },
      { title: 'Input bytes', align: 'right' },
      { title: 'Output bytes', align: 'right' },
      { title: 'Total bytes', align: 'right' },
      { title: '', align: 'right' },
      { title: 'Files', align: 'right' },
      { title: 'Status' },
      { title: 'Measured' },
    ],
    rows,
  );
}
