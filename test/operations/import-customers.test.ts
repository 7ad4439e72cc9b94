import { expect, test } from 'vitest';
import { importCustomers } from '../../operations/import-customers.ts';
import type { ImportDependencies } from '../../operations/import-customers.ts';
import { createCustomers } from '../../tables/customers.ts';
import { startStripe } from '../server/billing-support.ts';
import { at, collect, useDynamodb } from '../tables/support.ts';

const database = useDynamodb();

async function setUp() {
  const { stripe, control } = await startStripe();
  const customers = createCustomers(await database.newStore());
  const deps: ImportDependencies = { stripe, customers, plan: 'free', now: () => new Date(at(5)) };
  const describe = (error: unknown) => (error instanceof Error ? error.message : String(error));
  const take = async (changes: Partial<ImportDependencies> = {}, isDryRun = false) =>
    await importCustomers({ ...deps, ...changes }, { isDryRun, describe });
  return { stripe, control, customers, deps, take };
}

test('GA17 all pages of Stripe’s list, once; again it changes nothing', async () => {
  const { control, customers, take } = await setUp();
  const ids = Array.from({ length: 205 }, (_, n) => `cus_${n}`);
  for (const id of ids)
    await control.createCustomer({ id, name: `Name ${id}`, email: 'a@b.example' });
  const wouldBe = await take({}, true);
  expect(wouldBe.added.toSorted()).toEqual(ids.toSorted());
  expect(await collect(customers.list())).toEqual([]);
  expect(await take()).toEqual(wouldBe);
  expect(await customers.get('cus_204')).toEqual({
    customerId: 'cus_204',
    name: 'Name cus_204',
    email: 'a@b.example',
    plan: 'free',
    billingStatus: 'none',
    createdAt: at(5),
  });
  const nothing = { added: [], changed: [], deleted: [], failures: [] };
  expect(await take()).toEqual({ ...nothing, unchanged: 205 });
});

test('GA17 a name, an address and a deletion that we had missed; plan and standing stay', async () => {
  const { stripe, control, customers, take } = await setUp();
  for (const id of ['cus_1', 'cus_2']) await control.createCustomer({ id, name: 'New' });
  const own = { plan: 'pro', billingStatus: 'past_due' as const, createdAt: at(0) };
  await customers.add({ ...own, customerId: 'cus_1', name: 'Old', email: 'old@b.example' });
  await customers.add({ ...own, customerId: 'cus_2', name: 'New' });
  await stripe.customers.del('cus_2');
  expect(await take()).toEqual({
    added: [],
    changed: ['cus_1'],
    deleted: ['cus_2'],
    unchanged: 0,
    failures: [],
  });
  expect(await customers.get('cus_1')).toEqual({ ...own, customerId: 'cus_1', name: 'New' });
  expect(await customers.get('cus_2')).toMatchObject({ ...own, deletedAt: at(5) });
  expect(await take()).toMatchObject({ changed: [], deleted: [], unchanged: 1 });
});

test('GA17 one that cannot be taken is named, and the others are finished', async () => {
  const { control, customers, take } = await setUp();
  for (const id of ['cus_1', 'cus_2', 'cus_3']) await control.createCustomer({ id });
  const stranger = { plan: 'free', billingStatus: 'none' as const, createdAt: at(0) };
  await customers.add({ ...stranger, customerId: 'cus_stranger' });
  const add: typeof customers.add = async (customer) => {
    if (customer.customerId === 'cus_2') throw new Error('the write was refused');
    return await customers.add(customer);
  };
  const done = await take({ customers: { ...customers, add } });
  expect(done.added).toEqual(['cus_3', 'cus_1']);
  expect(done.failures).toEqual([
    { customerId: 'cus_2', error: 'the write was refused' },
    { customerId: 'cus_stranger', error: expect.stringContaining('No such customer') as unknown },
  ]);
});

test('GA17 a webhook that came in between is newer than the page of the list', async () => {
  const { stripe, control, customers, take } = await setUp();
  await control.createCustomer({ id: 'cus_1', name: 'Old' });
  const get: typeof customers.get = async (id) => {
    const row = await customers.get(id);
    if (row === undefined) {
      // Renamed and told of after the page was read, before the row is written.
      await stripe.customers.update(id, { name: 'New' });
      const defaults = { plan: 'free', createdAt: at(0) };
      await customers.change(id, { name: 'New' }, await customers.standingOf(id), defaults);
    }
    return row;
  };
  expect(await take({ customers: { ...customers, get } })).toMatchObject({ unchanged: 1 });
  expect(await customers.get('cus_1')).toMatchObject({ name: 'New' });
});
