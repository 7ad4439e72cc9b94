/** A customer's billing status, worked out from all that is stored of it. */
import { billingStatusOf, lastPaymentOf } from '../domain/billing-status.ts';
import type { EventGroup } from './event-group.ts';

/** The last ones: those made in one second are told apart by their ids, and seldom are that many. */
const lastPayments = 5;

/**
 * Rows that this task wrote are taken as they were written: the indexes may lag behind. When it wrote none
 * since the last time there is nothing to do.
 */
export async function refreshStanding(
  group: EventGroup,
  customerId: string | undefined,
): Promise<void> {
  const { deps, standing } = group;
  if (customerId === undefined || customerId === '' || standing.has(customerId)) return;
  const [subscriptions, payments] = await Promise.all([
    deps.subscriptions.statesOfCustomer(customerId),
    deps.payments.ofCustomer(customerId, lastPayments),
  ]);
  const isOurs = (row: { customerId?: string | undefined }) => row.customerId === customerId;
  const states = new Map(subscriptions.map((row) => [row.subscriptionId, row]));
  for (const row of group.subscriptions.values())
    if (isOurs(row)) states.set(row.subscriptionId, row);
  const paid = new Map(payments.map((row) => [row.paymentId, row]));
  for (const row of group.payments.values()) if (isOurs(row)) paid.set(row.paymentId, row);
  const lastPayment = lastPaymentOf([...paid.values()])?.status;
  await deps.customers.setBillingStatus(
    customerId,
    billingStatusOf({
      subscriptions: [...states.values()],
      ...(lastPayment === undefined ? {} : { lastPayment }),
    }),
    { plan: deps.planDefault, createdAt: deps.now().toISOString() },
  );
  standing.add(customerId);
}
