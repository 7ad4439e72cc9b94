/** A customer's budget, and where its month stands; what command line and API share (GA1). */
import { leftCents } from '../domain/budgets.ts';
import type { Budget } from '../domain/budgets.ts';
import { BillingError } from '../domain/errors.ts';
import { dayOf, monthOf } from '../domain/period.ts';
import type { Spending } from '../tables/spending.ts';

export interface BudgetDependencies {
  spending: Pick<Spending, 'read' | 'change'>;
  now: () => Date;
}

/** `known` is a budget that was just written. Throws BillingError `not_found` where there is none. */
export async function showBudget(
  { spending, now }: BudgetDependencies,
  customerId: string,
  known?: Budget,
) {
  const month = monthOf(dayOf(now().getTime()));
  const { budget = known, counter } = await spending.read(customerId, month);
  if (budget === undefined) {
    throw new BillingError('not_found', `${customerId} has no budget, and so no limit`);
  }
  const { hardLimitCents, softLimitCents, period, updatedAt } = budget;
  const { usedCents = 0, reservedCents = 0 } = counter ?? {};
  return {
    hardLimitCents,
    ...(softLimitCents === undefined ? {} : { softLimitCents }),
    period,
    month,
    usedCents,
    reservedCents,
    leftCents: leftCents({ hardLimitCents, usedCents, reservedCents }) ?? 0,
    updatedAt,
  };
}
