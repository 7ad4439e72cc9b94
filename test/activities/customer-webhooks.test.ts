import { expect, test } from 'vitest';
import { applyAll, happened, stage, useEvents } from './events-support.ts';

useEvents();

test('GA17 created, renamed and deleted at Stripe: the row follows, in every order', async () => {
  const { stripe, customers } = stage().services;
  const { id } = await stripe.customers.create({ name: 'Aoi', email: 'aoi@b.example' });
  await applyAll(await happened(id));
  expect(await customers.get(id)).toMatchObject({
    customerId: id,
    name: 'Aoi',
    email: 'aoi@b.example',
    plan: 'free',
    billingStatus: 'none',
  });
  await stripe.customers.update(id, { name: 'Aoi Store', email: '' });
  await applyAll((await happened(id)).filter(({ type }) => type === 'customer.updated'));
  const renamed = await customers.get(id);
  expect([renamed?.name, renamed?.email]).toEqual(['Aoi Store', undefined]);
  await stripe.customers.del(id);
  await applyAll((await happened(id)).filter(({ type }) => type === 'customer.deleted'));
  const gone = await customers.get(id);
  expect([gone?.name, typeof gone?.deletedAt]).toEqual(['Aoi Store', 'string']);

  const { id: other } = await stripe.customers.create({ name: 'Basalt' });
  await stripe.customers.update(other, { name: 'Basalt Works' });
  const [first, second] = (await happened(other)).toSorted((a, b) => a.type.localeCompare(b.type));
  if (first === undefined || second === undefined) throw new Error('two events were expected');
  expect([first.type, second.type]).toEqual(['customer.created', 'customer.updated']);
  await applyAll([second, first], 'apart');
  expect(await customers.get(other)).toMatchObject({ name: 'Basalt Works' });
});
