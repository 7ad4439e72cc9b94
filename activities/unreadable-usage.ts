/** Usage whose row cannot be read: one customer's dead letter, and nothing waits for it (SB19, DL12). */
import { deadLetterId } from '../domain/ids.ts';
import type { UsageSettled } from '../domain/usage.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import { openDeadLetter } from './dead-letter.ts';
import type { Dependencies } from './dependencies.ts';

/** The letter first: if we die in between, the row is still due, and comes here again. */
export async function layAsideUnreadable(
  deps: Dependencies,
  identifier: string,
  { message, customerId = '' }: UnreadableRow,
): Promise<UsageSettled> {
  const error = `${message}: mend the row, then redrive`;
  await openDeadLetter(deps, {
    id: deadLetterId('usage-rejected', identifier),
    kind: 'usage-rejected',
    subject: { identifier },
    customerId,
    error,
    attempts: 0,
    record: {},
  });
  await deps.ledger.layAsideUnreadable(identifier, error);
  deps.logger.error({ identifier, customerId, reason: error }, 'usage rejected');
  deps.metrics.deliveries.inc({ outcome: 'rejected' });
  return { identifier, state: 'rejected', error };
}

/** Work on a record, unless its own row turns out to be none: then that is laid aside. */
export async function unlessUnreadable<Done>(
  deps: Dependencies,
  identifier: string,
  work: () => Promise<Done>,
): Promise<Done | UsageSettled> {
  try {
    return await work();
  } catch (error) {
    const isIts = error instanceof UnreadableRow && error.rowName === `usage-ledger/${identifier}`;
    if (!isIts) throw error;
    return await layAsideUnreadable(deps, identifier, error);
  }
}
