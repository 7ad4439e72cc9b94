/** `/v1/customers`: what an operator does with who is billed, over real tables and a Stripe double. */
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { atOnce, useDynamodb } from '../tables/support.ts';
import { createBillingApi } from './billing-support.ts';

const database = useDynamodb();
const now = () => new Date('2026-11-21T10:00:00.000Z');
const path = '/v1/customers';
const aurora = { customerId: 'cus_Aurora', name: 'Aurora Labs', email: 'billing@aurora.example' };
const asAdded = {
  ...aurora,
  plan: 'free',
  billingStatus: 'none',
  createdAt: now().toISOString(),
};

async function setUp(changes: { isOff?: boolean } = {}) {
  const store = await database.newStore();
  return { ...(await createBillingApi(store, { now, ...changes })), store };
}

test('FM7 one that Stripe knows is added once, however often and at once it is asked for', async () => {
  const api = await setUp();
  await api.control.createCustomer({ id: aurora.customerId });
  const answers = await atOnce(5, async () => await api.operator('POST', path, aurora));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
  expect(answers.map(({ body }) => body)).toEqual(answers.map(() => asAdded));
  const other = { customerId: aurora.customerId, name: 'Another name' };
  expect(await api.operator('POST', path, other)).toMatchObject({ status: 200, body: asAdded });
});

test('FM7 one that Stripe does not know or has deleted is refused; Stripe away is 503', async () => {
  const api = await setUp();
  const unknown = await api.operator('POST', path, { customerId: 'cus_Unknown' });
  expect([unknown.status, unknown.body['error']]).toEqual([404, 'not_found']);
  await api.control.createCustomer({ id: 'cus_Gone' });
  await api.stripe.customers.del('cus_Gone');
  expect((await api.operator('POST', path, { customerId: 'cus_Gone' })).status).toBe(404);
  await api.control.fault({ kind: 'status', status: 500, times: 10 });
  expect((await api.operator('POST', path, aurora)).status).toBe(503);
  expect((await api.operator('GET', path)).body).toEqual({ customers: [], problems: [] });
});

test('billing off: it is added and nobody is asked', async () => {
  const api = await setUp({ isOff: true });
  expect((await api.operator('POST', path, aurora)).status).toBe(201);
});

test('GA10 what is no customer is refused, and nothing is written', async () => {
  const api = await setUp({ isOff: true });
  for (const wrong of [
    {},
    { customerId: 'aurora' },
    { customerId: 'cus_1', plan: 'gold' },
    { customerId: 'cus_1', name: '' },
    { customerId: 'cus_1', name: 'a\0b' },
    { customerId: 'cus_1', name: 'x'.repeat(201) },
    { customerId: 'cus_1', email: 'no address' },
    'no JSON',
  ]) {
    const { status, body } = await api.operator('POST', path, wrong);
    expect([wrong, status, body['error']]).toEqual([wrong, 400, 'invalid_request']);
  }
  expect((await api.operator('GET', path)).body).toEqual({ customers: [], problems: [] });
});

test('all pages are reached by the cursor, each customer once; a broken row is named beside them', async () => {
  const api = await setUp({ isOff: true });
  const ids = Array.from({ length: 25 }, (_, n) => `cus_${100 + n}`);
  for (const customerId of ids) await api.operator('POST', path, { customerId });
  const TableName = `${api.store.prefix}customers`;
  const broken = { customerId: 'cus_broken', plan: 7 };
  await api.store.db.send(new PutCommand({ TableName, Item: broken }));
  const found: string[] = [];
  const problems: string[] = [];
  let cursor: string | undefined;
  do {
    const more: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const { status, body } = await api.operator('GET', `${path}?limit=10${more}`);
    expect(status).toBe(200);
    const page = body as { customers: { customerId: string }[]; problems: string[] };
    expect(page.customers.length + page.problems.length).toBeLessThanOrEqual(10);
    found.push(...page.customers.map(({ customerId }) => customerId));
    problems.push(...page.problems);
    cursor = body['cursor'] as string | undefined;
  } while (cursor !== undefined);
  expect(found.toSorted()).toEqual(ids);
  expect(problems).toEqual([expect.stringContaining('customers/cus_broken')]);
  const wrong = await api.operator('GET', `${path}?cursor=made-up`);
  expect([wrong.status, wrong.body['error']]).toEqual([400, 'invalid_request']);
});

test('one is shown with its account; one that is not here is 404, a broken row 409', async () => {
  const api = await setUp({ isOff: true });
  await api.operator('POST', path, aurora);
  expect(await api.operator('GET', `${path}/${aurora.customerId}`)).toMatchObject({
    status: 200,
    body: {
      customer: asAdded,
      account: { customerId: aurora.customerId, status: 'none', plan: 'free', payments: [] },
    },
  });
  expect((await api.operator('GET', `${path}/cus_other`)).status).toBe(404);
  expect((await api.operator('GET', `${path}/nonsense`)).status).toBe(400);
  const TableName = `${api.store.prefix}customers`;
  const broken = { customerId: 'cus_broken', plan: 7 };
  await api.store.db.send(new PutCommand({ TableName, Item: broken }));
  expect((await api.operator('GET', `${path}/cus_broken`)).status).toBe(409);
});

test('GA6 a customer’s key opens none of it', async () => {
  const api = await setUp({ isOff: true });
  const { call } = await api.customer('cus_1');
  expect((await call('GET', path)).status).toBe(403);
  expect((await call('GET', `${path}/cus_1`)).status).toBe(403);
  expect((await call('POST', path, aurora)).status).toBe(403);
});
