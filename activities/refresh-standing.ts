/** A customer's billing status, worked out from the objects that it hangs on. */
import { billingStatusOf, hasBegunAndEnded, hasEnded } from '../domain/billing-status.ts';
import { isOpenDebt } from '../domain/invoice-debts.ts';
import type { KeptStanding } from '../tables/customers.ts';
import type { Dependencies } from './dependencies.ts';
import type { EventGroup, Touched } from './event-group.ts';

/** A writer loses a round only to another one that wins it. */
const mostRounds = 100;

/** Before an event is settled: who dies in between comes here again with the event. */
export async function refreshStandings(group: EventGroup): Promise<void> {
  for (const [customerId, touched] of group.touched) {
    await refreshStanding(group.deps, customerId, touched);
    group.touched.delete(customerId);
  }
}

/**
 * The customer's row knows which invoices and subscriptions matter; they are read by key, after the row, and
 * the result is written only if the row is as it was read. So of two tasks at once the later one has seen
 * what both stored, and no index that lags has a say (WH23).
 */
async function refreshStanding(
  deps: Dependencies,
  customerId: string,
  touched: Touched,
): Promise<void> {
  for (let round = 0; round < mostRounds; round += 1) {
    const known = await deps.customers.standingOf(customerId);
    const [invoices, subscriptions] = await Promise.all([
      readAll([...known.standing.debts, ...touched.invoices], deps.invoices.get),
      readAll([...known.standing.subscriptions, ...touched.subscriptions], deps.subscriptions.get),
    ]);
    const ours = subscriptions.filter((row) => row.customerId === customerId);
    const living = ours.filter(({ status }) => !hasEnded(status));
    const standing: KeptStanding = {
      debts: invoices
        .filter((row) => row.customerId === customerId && isOpenDebt(row))
        .map(({ invoiceId }) => invoiceId),
      subscriptions: living.map(({ subscriptionId }) => subscriptionId),
      hadSubscription:
        known.standing.hadSubscription || ours.some(({ status }) => hasBegunAndEnded(status)),
      paidCheckout: known.standing.paidCheckout || touched.paidCheckout,
    };
    const billingStatus = billingStatusOf({
      ...standing,
      openDebts: standing.debts.length,
      subscriptions: living.map(({ status }) => status),
    });
    const defaults = { plan: deps.planDefault, createdAt: deps.now().toISOString() };
    const changes = { billingStatus, standing };
    if (await deps.customers.change(customerId, changes, known, defaults)) return;
  }
  throw new Error(`customer ${customerId} is written by too many at once`);
}

async function readAll<Row>(
  ids: readonly string[],
  get: (id: string) => Promise<Row | undefined>,
): Promise<Row[]> {
  const rows = await Promise.all([...new Set(ids)].map(async (id) => await get(id)));
  return rows.filter((row) => row !== undefined);
}
