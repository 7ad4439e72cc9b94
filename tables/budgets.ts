/**
 * Budgets, and their copy in the month's counter, where casts are held against it. Both change in one
 * transaction, and a counter is made under the condition that the budget it copies still stands: no
 * counter ever lives on with a limit that was replaced.
 */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { noLimitCents } from '../domain/budgets.ts';
import { transactIf } from './dynamo.ts';
import type { TableStore, TransactItem } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import type { CounterRow } from './usage-counters.ts';

const rowSchema = z.object({
  customerId: z.string(),
  /** Absent once the budget was deleted: the row stays, so that its version never starts again. */
  hardLimitCents: z.number().int().exactOptional(),
  softLimitCents: z.number().int().exactOptional(),
  version: z.number().int(),
  updatedAt: z.string(),
});
export type BudgetRow = z.infer<typeof rowSchema>;

/** A budget to be written; without a hard limit it is deleted. */
export type Limits = Pick<BudgetRow, 'hardLimitCents' | 'softLimitCents'>;

export function createBudgets(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.budgets.name}`;
  const counters = `${prefix}${tableSchemas.usageCounters.name}`;

  async function get(customerId: string): Promise<BudgetRow | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
  }

  /**
   * Replaces `before` (what was read; undefined when there was nothing) and the limit of the month's
   * counter as it was read. `false`, and nothing is changed, when either changed in between.
   */
  async function replace(
    next: BudgetRow,
    before: BudgetRow | undefined,
    period: string,
    counter: CounterRow | undefined,
  ): Promise<boolean> {
    const write: TransactItem = {
      Put: { TableName, Item: next, ...unchanged(before) },
    };
    const copy: TransactItem =
      counter === undefined
        ? { Put: { TableName: counters, Item: newCounter(next, period), ...notThere } }
        : { Update: { TableName: counters, ...limitUpdate(next, counter) } };
    return await transactIf(store, [write, copy]);
  }

  /** Makes a month's counter from the budget that was read; `false` when it was made or changed meanwhile. */
  async function openMonth(
    customerId: string,
    period: string,
    budget: BudgetRow | undefined,
  ): Promise<boolean> {
    const from = budget ?? { customerId, version: 0 };
    return await transactIf(store, [
      { ConditionCheck: { TableName, Key: { customerId }, ...unchanged(budget) } },
      { Put: { TableName: counters, Item: newCounter(from, period), ...notThere } },
    ]);
  }

  return { get, replace, openMonth };
}

const notThere = { ConditionExpression: 'attribute_not_exists(customerId)' };

function unchanged(before: BudgetRow | undefined) {
  if (before === undefined) return notThere;
  return {
    ConditionExpression: '#version = :before',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':before': before.version },
  };
}

function newCounter(
  budget: Limits & Pick<BudgetRow, 'customerId' | 'version'>,
  period: string,
): CounterRow {
  const { customerId, hardLimitCents, softLimitCents, version } = budget;
  return {
    customerId,
    period,
    usedCents: 0,
    reservedCents: 0,
    leftCents: hardLimitCents ?? noLimitCents,
    budgetVersion: version,
    openCount: 0,
    open: {},
    ...(hardLimitCents === undefined ? {} : { hardLimitCents }),
    ...(softLimitCents === undefined ? {} : { softLimitCents }),
  };
}

/** The room moves by the difference of the limits, and may fall below nothing. */
function limitUpdate(next: BudgetRow, counter: CounterRow) {
  const limits = { hardLimitCents: next.hardLimitCents, softLimitCents: next.softLimitCents };
  const given = Object.entries(limits).filter(([, cents]) => cents !== undefined);
  const gone = Object.entries(limits).filter(([, cents]) => cents === undefined);
  const sets = given.map(([name]) => `, ${name} = :${name}`).join('');
  const removes = gone.length === 0 ? '' : ` REMOVE ${gone.map(([name]) => name).join(', ')}`;
  const old = counter.hardLimitCents ?? noLimitCents;
  return {
    Key: { customerId: counter.customerId, period: counter.period },
    UpdateExpression: `SET leftCents = leftCents + :difference, budgetVersion = :version${sets}${removes}`,
    ConditionExpression: 'budgetVersion = :copied',
    ExpressionAttributeValues: {
      ':difference': (next.hardLimitCents ?? noLimitCents) - old,
      ':version': next.version,
      ':copied': counter.budgetVersion,
      ...Object.fromEntries(given.map(([name, cents]) => [`:${name}`, cents])),
    },
  };
}
