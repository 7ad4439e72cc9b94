/** Customers, known by their Stripe customer id and by nothing else. */
import { GetCommand, PutCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { billingStatuses } from '../domain/billing-status.ts';
import { allRows, conditionHeld, pageSize } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';

const rowSchema = z.object({
  customerId: z.string(),
  name: z.string().exactOptional(),
  email: z.string().exactOptional(),
  plan: z.string(),
  billingStatus: z.enum(billingStatuses),
  createdAt: z.string(),
});
export type Customer = z.infer<typeof rowSchema>;

export type Customers = ReturnType<typeof createCustomers>;

export function createCustomers({ db, prefix }: TableStore) {
  const TableName = `${prefix}${tableSchemas.customers.name}`;

  async function get(customerId: string): Promise<Customer | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { customerId }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : rowSchema.parse(Item);
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

  /** Sets the standing; a customer that Stripe knows and we did not is added. */
  async function setBillingStatus(
    customerId: string,
    billingStatus: Customer['billingStatus'],
    defaults: Pick<Customer, 'plan' | 'createdAt'>,
  ): Promise<void> {
    const command = new UpdateCommand({
      TableName,
      Key: { customerId },
      UpdateExpression:
        'SET billingStatus = :status, #plan = if_not_exists(#plan, :plan), ' +
        'createdAt = if_not_exists(createdAt, :createdAt)',
      ExpressionAttributeNames: { '#plan': 'plan' },
      ExpressionAttributeValues: {
        ':status': billingStatus,
        ':plan': defaults.plan,
        ':createdAt': defaults.createdAt,
      },
    });
    await db.send(command);
  }

  /** Every customer, all pages, in no order. */
  async function* list(): AsyncGenerator<Customer> {
    const rows = allRows(
      async (startKey) =>
        await db.send(new ScanCommand({ TableName, Limit: pageSize, ExclusiveStartKey: startKey })),
    );
    for await (const row of rows) yield rowSchema.parse(row);
  }

  return { get, add, setBillingStatus, list };
}
