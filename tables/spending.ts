/**
 * Budgets and counters together: reserving in a month that has no counter yet, and changing a budget
 * while casts run. Each step reads, writes under a condition, and begins again when it was overtaken.
 */
import type { Budget, Reservation } from '../domain/budgets.ts';
import { BillingError } from '../domain/errors.ts';
import { dayOf, monthOf } from '../domain/period.ts';
import { createBudgets } from './budgets.ts';
import type { BudgetRow, Limits } from './budgets.ts';
import type { TableStore } from './dynamo.ts';
import { createUsageCounters } from './usage-counters.ts';
import type { CounterRow, OpenReservation, Reserved } from './usage-counters.ts';

/** Each try is overtaken by somebody who got through; twenty in a row were never seen. */
const mostTries = 20;
/** As often as the SDK tries; it leaves this to us (see `reserve` of the counters). */
const mostFailures = 3;
const pauseMs = 50;

/** A customer's budget and where the month stands; each absent when there is none. */
export interface Standing {
  budget?: Budget;
  counter?: CounterRow;
}

export type Spending = ReturnType<typeof createSpending>;

export function createSpending(store: TableStore) {
  const { get: getBudget, replace, openMonth } = createBudgets(store);
  const counters = createUsageCounters(store);

  /**
   * One write as a rule; the first cast of a month makes the counter first. Each try draws a token of its
   * own, unless one is given; what an earlier try of this call set aside is its own.
   */
  async function reserve(
    asked: Omit<Reservation, 'token'> & { token?: string },
    made: Pick<OpenReservation, 'at' | 'digest'>,
    force = false,
  ): Promise<Exclude<Reserved, { state: 'absent' }>> {
    const drawn = new Set<string>();
    let failures = 0;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const reservation = { ...asked, token: asked.token ?? crypto.randomUUID() };
      drawn.add(reservation.token);
      try {
        const reserved = await counters.reserve(reservation, made, force);
        if (reserved.state === 'already' && drawn.has(reserved.entry.token)) {
          return { ...reserved, state: 'reserved' };
        }
        if (reserved.state !== 'absent') return reserved;
        const { customerId, period } = reservation;
        await openMonth(customerId, period, await getBudget(customerId));
      } catch (error) {
        failures += 1;
        if (failures === mostFailures) throw error;
        const pause = failures * pauseMs;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
    throw overtaken();
  }

  async function read(customerId: string, period: string): Promise<Standing> {
    const [row, counter] = await Promise.all([
      getBudget(customerId),
      counters.get(customerId, period),
    ]);
    const budget = row === undefined ? undefined : asBudget(row);
    return {
      ...(budget === undefined ? {} : { budget }),
      ...(counter === undefined ? {} : { counter }),
    };
  }

  /**
   * Sets, replaces or deletes (no hard limit) a budget, and the limit of the month that holds `now()`.
   * With `onlyNew`, BillingError `conflict` when there is one; BillingError `not_found` when there is
   * none to delete.
   */
  async function change(
    customerId: string,
    limits: Limits,
    onlyNew = false,
  ): Promise<Budget | undefined> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const at = store.now();
      const period = monthOf(dayOf(at.getTime()));
      const before = await getBudget(customerId);
      checkChange(customerId, limits, before, onlyNew);
      const counter = await counters.get(customerId, period);
      const version = (before?.version ?? 0) + 1;
      const next: BudgetRow = { ...limits, customerId, version, updatedAt: at.toISOString() };
      if (!(await replace(next, before, period, counter))) continue;
      await followIntoNextMonth(next, period);
      return asBudget(next);
    }
    throw overtaken();
  }

  /** The month may have turned while the budget was written, and its counter been made from the old one. */
  async function followIntoNextMonth(budget: BudgetRow, written: string): Promise<void> {
    const period = monthOf(dayOf(store.now().getTime()));
    if (period === written) return;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const counter = await counters.get(budget.customerId, period);
      if (counter === undefined || counter.budgetVersion >= budget.version) return;
      if (await replace(budget, budget, period, counter)) return;
    }
    throw overtaken();
  }

  return { ...counters, reserve, read, change };
}

function checkChange(
  customerId: string,
  limits: Limits,
  before: BudgetRow | undefined,
  onlyNew: boolean,
): void {
  const stands = before?.hardLimitCents !== undefined;
  if (onlyNew && stands) {
    throw new BillingError('conflict', `${customerId} has a budget: replace it with PUT`);
  }
  if (limits.hardLimitCents === undefined && !stands) {
    throw new BillingError('not_found', `${customerId} has no budget`);
  }
}

function asBudget(row: BudgetRow): Budget | undefined {
  const { hardLimitCents } = row;
  return hardLimitCents === undefined ? undefined : { ...row, hardLimitCents, period: 'monthly' };
}

function overtaken(): BillingError {
  return new BillingError('unavailable', 'the budget is being written by too many: try again');
}
