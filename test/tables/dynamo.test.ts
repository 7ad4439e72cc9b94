import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { queryIndex, queryIndexPage, updateIf } from '../../tables/dynamo.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { at, useDynamodb } from './support.ts';

const database = useDynamodb();

const tableOf = ({ prefix }: TableStore): string => `${prefix}subscriptions`;

async function put(store: TableStore, subscriptionId: string, facts: object): Promise<void> {
  const Item = { subscriptionId, ...facts };
  await store.db.send(new PutCommand({ TableName: tableOf(store), Item }));
}

describe('updateIf', () => {
  const pause = (store: TableStore, status: string) => ({
    TableName: tableOf(store),
    Key: { subscriptionId: 'sub_1' },
    UpdateExpression: 'SET paused = :true',
    ConditionExpression: '#status = :status',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':true': true, ':status': status },
  });

  test('answers with the row after the change, or with what was asked for', async () => {
    const store = await database.newStore();
    await put(store, 'sub_1', { status: 'active' });
    const row = { subscriptionId: 'sub_1', status: 'active', paused: true };
    expect(await updateIf(store, pause(store, 'active'))).toEqual(row);
    const silent = { ...pause(store, 'active'), ReturnValues: 'NONE' as const };
    expect(await updateIf(store, silent)).toEqual({});
  });

  test('a condition that does not hold is undefined and changes nothing; no other failure is', async () => {
    const store = await database.newStore();
    await put(store, 'sub_1', { status: 'active' });
    expect(await updateIf(store, pause(store, 'canceled'))).toBeUndefined();
    const row = { subscriptionId: 'sub_1', status: 'active', paused: true };
    expect(await updateIf(store, pause(store, 'active'))).toEqual(row);
    const elsewhere = { ...pause(store, 'active'), TableName: 'nowhere' };
    await expect(updateIf(store, elsewhere)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('queryIndex', () => {
  const ofCustomer = {
    KeyConditionExpression: 'customerId = :customer',
    ExpressionAttributeValues: { ':customer': 'cus_1' },
  };

  test('all pages, and one page with where it ended', async () => {
    const store = await database.newStore();
    for (const n of [1, 2, 3]) {
      await put(store, `sub_${n}`, { customerId: 'cus_1', stripeCreated: at(n) });
    }
    await put(store, 'sub_other', { customerId: 'cus_2', stripeCreated: at(1) });
    const query = { ...ofCustomer, Limit: 2 };
    const found: unknown[] = [];
    for await (const row of queryIndex(store, 'subscriptions', 'customerId-index', query)) {
      found.push(row['subscriptionId']);
    }
    expect(found).toEqual(['sub_1', 'sub_2', 'sub_3']);
    const page = await queryIndexPage(store, 'subscriptions', 'customerId-index', query);
    expect(page.Items?.length).toBe(2);
    expect(page.LastEvaluatedKey).toMatchObject({ subscriptionId: 'sub_2' });
  });

  test('the compiler refuses an index that schema.ts does not give to the table', () => {
    const lists = (store: TableStore): unknown[] => [
      queryIndex(store, 'payments', 'customerId-createdAt-index', ofCustomer),
      // @ts-expect-error It is another table's.
      queryIndex(store, 'payments', 'customerId-index', ofCustomer),
      // @ts-expect-error It is nobody's.
      queryIndex(store, 'subscriptions', 'customerID-index', ofCustomer),
      // @ts-expect-error This table has none.
      queryIndex(store, 'customers', 'customerId-index', ofCustomer),
    ];
    expect(lists).toBeInstanceOf(Function);
  });
});
