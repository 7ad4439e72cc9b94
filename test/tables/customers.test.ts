import { describe, expect, test } from 'vitest';
import { createCustomers } from '../../tables/customers.ts';
import type { Customer, CustomerChanges } from '../../tables/customers.ts';
import { at, atOnce, collect, useDynamodb } from './support.ts';

const database = useDynamodb();
const newCustomers = async () => createCustomers(await database.newStore());
const customer = (customerId: string, facts: Partial<Customer> = {}): Customer => ({
  customerId,
  plan: 'free',
  billingStatus: 'none',
  createdAt: at(0),
  ...facts,
});

describe('FM7 customers are known by their Stripe id', () => {
  test('FM7 added once; again it is there already and nothing changes', async () => {
    const customers = await newCustomers();
    const first = customer('cus_1', { name: 'Aoi 商店', email: 'aoi@example.com' });
    expect(await customers.add(first)).toBe(true);
    expect(await customers.add(customer('cus_1', { plan: 'pro', createdAt: at(9) }))).toBe(false);
    expect(await customers.get('cus_1')).toStrictEqual(first);
    expect(await customers.get('cus_10')).toBe(undefined);
  });

  test('FM7 without a name and an email they have neither', async () => {
    const customers = await newCustomers();
    await customers.add(customer('cus_1'));
    expect(await customers.get('cus_1')).toStrictEqual(customer('cus_1'));
  });

  test('FM7 twenty added at once are one', async () => {
    const customers = await newCustomers();
    const added = await atOnce(
      20,
      async (n) => await customers.add(customer('cus_1', { createdAt: at(n) })),
    );
    expect(added.filter(Boolean)).toStrictEqual([true]);
  });

  test('FM7 all pages are listed', async () => {
    const customers = await newCustomers();
    await atOnce(230, async (n) => await customers.add(customer(`cus_${n}`)));
    const listed = (await collect(customers.list())).map(({ customerId }) => customerId);
    const wanted = Array.from({ length: 230 }, (_, n) => `cus_${n}`);
    expect(listed.toSorted()).toStrictEqual(wanted.toSorted());
  });
});

describe('WH23 what the billing status hangs on', () => {
  const standing = {
    debts: ['in_1'],
    subscriptions: [],
    hadSubscription: false,
    paidCheckout: true,
  };
  const defaults = { plan: 'pro', createdAt: at(5) };

  test('WH23 of one who was unknown: nothing, and then what was set; the customer is added', async () => {
    const customers = await newCustomers();
    const read = await customers.standingOf('cus_1');
    expect(read).toEqual({
      standing: { debts: [], subscriptions: [], hadSubscription: false, paidCheckout: false },
      standingRevision: 0,
    });
    const change = { billingStatus: 'past_due' as const, standing };
    expect(await customers.change('cus_1', change, read, defaults)).toBe(true);
    const known = await customers.standingOf('cus_1');
    expect(known).toEqual({ billingStatus: 'past_due', standing, standingRevision: 1 });
    expect(await customers.get('cus_1')).toEqual({
      customerId: 'cus_1',
      ...defaults,
      billingStatus: 'past_due',
    });
  });

  test('WH23 of twenty who read the same one sets; what was ours stays', async () => {
    const customers = await newCustomers();
    await customers.add(customer('cus_1', { name: 'Aoi 商店', plan: 'free' }));
    const read = await customers.standingOf('cus_1');
    const change = { billingStatus: 'active' as const, standing };
    const set = await atOnce(
      20,
      async () => await customers.change('cus_1', change, read, defaults),
    );
    expect(set.filter(Boolean)).toHaveLength(1);
    expect(await customers.get('cus_1')).toEqual(
      customer('cus_1', { name: 'Aoi 商店', billingStatus: 'active' }),
    );
  });

  test('WH21 a name that Stripe has no more goes; its deletion stays', async () => {
    const customers = await newCustomers();
    await customers.add(customer('cus_1', { name: 'Aoi 商店', email: 'aoi@example.com' }));
    const change = async (changes: CustomerChanges) =>
      await customers.change('cus_1', changes, await customers.standingOf('cus_1'), defaults);
    await change({ name: 'Aoi', email: undefined });
    await change({ deletedAt: at(9) });
    expect(await customers.get('cus_1')).toEqual(
      customer('cus_1', { name: 'Aoi', deletedAt: at(9) }),
    );
  });
});
