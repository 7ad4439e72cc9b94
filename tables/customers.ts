/** Customers, known by their Stripe customer id and by nothing else. */
import { GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { billingStatuses } from '../domain/billing-status.ts';
import { BillingError } from '../domain/errors.ts';
import { allRows, conditionHeld, pageSize, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  customerId: z.string(),
  name: z.string().exactOptional(),
  email: z.string().exactOptional(),
  plan: z.string(),
  billingStatus: z.enum(billingStatuses),
  createdAt: z.string(),
  /** When Stripe told us that it was deleted there. */
  deletedAt: z.string().exactOptional(),
});
export type Customer = z.infer<typeof rowSchema>;

/**
 * The objects that the billing status hangs on, by their ids: their own rows are read by key, for an index
 * may lag behind them (WH23). What has ended leaves, so that it stays short.
 */
const standingSchema = z.object({
  /** Invoices that are open debts. */
  debts: z.array(z.string()),
  /** Subscriptions that have not ended. */
  subscriptions: z.array(z.string()),
  hadSubscription: z.boolean(),
  paidCheckout: z.boolean(),
});
export type KeptStanding = z.infer<typeof standingSchema>;

const knownSchema = z.object({
  billingStatus: z.enum(billingStatuses).exactOptional(),
  standing: standingSchema.default({
    debts: [],
    subscriptions: [],
    hadSubscription: false,
    paidCheckout: false,
  }),
  standingRevision: z.number().int().default(0),
});
export type KnownStanding = z.infer<typeof knownSchema>;

export interface CustomerChanges {
  billingStatus?: Customer['billingStatus'];
  standing?: KeptStanding;
  name?: string | undefined;
  email?: string | undefined;
  deletedAt?: string | undefined;
}

/** A row of the list: one that cannot be read says why, and hides no other. */
export type ListedCustomer =
  | { customerId: string; customer: Customer }
  | { customerId: string; problem: string };

export type Customers = ReturnType<typeof createCustomers>;

export function createCustomers(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.customers.name}`;

  async function get(customerId: string): Promise<Customer | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : readRow(rowSchema, Item, `customers/${customerId}`);
  }

  /** Adds a customer; `false` when it is there already (and then changes nothing). */
  async function add(customer: Customer): Promise<boolean> {
    const put = new PutCommand({
      TableName,
      Item: customer,
      ConditionExpression: 'attribute_not_exists(customerId)',
    });
    return await conditionHeld(db.send(put));
  }

  /** What the billing status is worked out from; read consistently, as the status is. */
  async function standingOf(customerId: string): Promise<KnownStanding> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId }, ConsistentRead: true }),
    );
    return readRow(knownSchema, Item ?? {}, `customers/${customerId}`);
  }

  /**
   * Sets what Stripe says or what follows from it, if the row is as it was read: false when someone else was
   * quicker. Undefined values are taken away; a customer that Stripe knows and we did not is added.
   */
  async function change(
    customerId: string,
    changes: CustomerChanges,
    read: KnownStanding,
    defaults: Pick<Customer, 'plan' | 'createdAt'>,
  ): Promise<boolean> {
    const all = Object.entries({ ...changes, standingRevision: read.standingRevision + 1 });
    const set = all.filter(([, value]) => value !== undefined);
    const gone = all.filter(([, value]) => value === undefined).map(([name]) => `#${name}`);
    const isNew = read.standingRevision === 0;
    const lasting = { billingStatus: 'none', ...defaults };
    const kept = Object.keys(lasting).filter((name) => !Object.hasOwn(changes, name));
    const names = [...all.map(([name]) => name), ...kept];
    const values = [...set, ...Object.entries(lasting).filter(([name]) => kept.includes(name))];
    const changed = await updateIf(store, {
      TableName,
      Key: { customerId },
      UpdateExpression:
        `SET ${[
          ...set.map(([name]) => `#${name} = :${name}`),
          ...kept.map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
        ].join(', ')}` + (gone.length === 0 ? '' : ` REMOVE ${gone.join(', ')}`),
      ConditionExpression: isNew
        ? 'attribute_not_exists(#standingRevision)'
        : '#standingRevision = :read',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(
          values.map(([name, value]): [string, unknown] => [`:${name}`, value]),
        ),
        ...(isNew ? {} : { ':read': read.standingRevision }),
      },
    });
    return changed !== undefined;
  }

  /** Every customer, all pages, in no order. */
  async function* list(): AsyncGenerator<ListedCustomer> {
    const rows = allRows(
      async (startKey) =>
        await db.send(new ScanCommand({ TableName, Limit: pageSize, ExclusiveStartKey: startKey })),
    );
    for await (const row of rows) yield readListed(row);
  }

  /** At most `limit` of them in no order, after the customer of that id; `next` where there may be more. */
  async function page(
    limit: number,
    after: string | undefined,
  ): Promise<{ rows: ListedCustomer[]; next?: string }> {
    const { Items = [], LastEvaluatedKey } = await db.send(
      new ScanCommand({
        TableName,
        Limit: limit,
        ExclusiveStartKey: after === undefined ? undefined : { customerId: after },
      }),
    );
    const rows = Items.map(readListed);
    if (LastEvaluatedKey === undefined) return { rows };
    return { rows, next: z.object({ customerId: z.string() }).parse(LastEvaluatedKey).customerId };
  }

  return { get, add, standingOf, change, list, page };
}

function readListed(row: Record<string, unknown>): ListedCustomer {
  // A key of a table is never missing, and a string.
  const customerId = String(row['customerId']);
  try {
    return { customerId, customer: readRow(rowSchema, row, `customers/${customerId}`) };
  } catch (error) {
    if (error instanceof BillingError) return { customerId, problem: error.message };
    throw error;
  }
}
