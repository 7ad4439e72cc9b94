import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { createMeter, failureOf, sdkFor, startDouble } from './support.ts';

describe('customers', () => {
  test('are created, retrieved, updated, listed and deleted', async () => {
    const { stripe } = await startDouble();
    const created = await stripe.customers.create({
      name: 'Ada & Söhne',
      email: 'ada@example.com',
      metadata: { plan: 'free', team: 'x' },
    });
    expect(await stripe.customers.retrieve(created.id)).toMatchObject({
      object: 'customer',
      name: 'Ada & Söhne',
      livemode: false,
      metadata: { plan: 'free', team: 'x' },
    });
    const updated = await stripe.customers.update(created.id, { name: '', metadata: { team: '' } });
    expect([updated.name, updated.email, updated.metadata]).toEqual([
      null,
      'ada@example.com',
      { plan: 'free' },
    ]);
    expect(await stripe.customers.del(created.id)).toMatchObject({ id: created.id, deleted: true });
    expect(await stripe.customers.retrieve(created.id)).toMatchObject({ deleted: true });
    expect((await stripe.customers.list()).data).toEqual([]);
    expect(await failureOf(stripe.customers.update(created.id, { name: 'B' }))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
      message: `No such customer: '${created.id}'`,
    });
  });

  test('are paged newest first, over 100 through the SDK', async () => {
    const { stripe, control } = await startDouble();
    const ids = Array.from({ length: 230 }, (_, index) => `cus_${index}`);
    for (const id of ids) await control.createCustomer({ id });
    const listed: string[] = [];
    for await (const { id } of stripe.customers.list({ limit: 100 })) listed.push(id);
    expect(listed).toEqual(ids.toReversed());
    const page = await stripe.customers.list({ limit: 2, starting_after: 'cus_5' });
    expect([page.data.map(({ id }) => id), page.has_more, page.url]).toEqual([
      ['cus_4', 'cus_3'],
      true,
      '/v1/customers',
    ]);
    const before = await stripe.customers.list({ limit: 2, ending_before: 'cus_5' });
    expect(before.data.map(({ id }) => id)).toEqual(['cus_7', 'cus_6']);
    expect((await stripe.customers.list()).data).toHaveLength(10);
    expect(await failureOf(stripe.customers.list({ limit: 101 }))).toMatchObject({
      statusCode: 400,
      param: 'limit',
    });
  });

  test('under a chosen id are made once by the control API', async () => {
    const { stripe, control } = await startDouble();
    await control.createCustomer({ id: 'cus_demo', name: 'Demo', metadata: { a: '1' } });
    await control.createCustomer({ id: 'cus_demo', name: 'Other' });
    const listed = await stripe.customers.list();
    expect(listed.data.map(({ id, name }) => [id, name])).toEqual([['cus_demo', 'Demo']]);
  });
});

describe('products and prices', () => {
  test('a product takes its own id, once', async () => {
    const { stripe } = await startDouble();
    const wanted = { id: 'file-processing', name: 'File Processing' };
    await stripe.products.create(wanted);
    expect(await stripe.products.retrieve(wanted.id)).toMatchObject({ ...wanted, active: true });
    expect(await failureOf(stripe.products.create(wanted))).toMatchObject({
      statusCode: 400,
      code: 'resource_already_exists',
    });
    const updated = await stripe.products.update(wanted.id, { active: false, name: 'Files' });
    expect([updated.active, updated.name]).toEqual([false, 'Files']);
    expect((await stripe.products.list({ active: true })).data).toEqual([]);
  });

  test('metered prices keep decimals, meter, transform and lookup key', async () => {
    const { stripe } = await startDouble();
    const meter = await createMeter(stripe, 'storage-usage');
    const product = await stripe.products.create({ name: 'Storage' });
    const wanted = {
      currency: 'usd',
      product: product.id,
      lookup_key: 'storage',
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      transform_quantity: { divide_by: 1_073_741_824, round: 'up' },
      unit_amount_decimal: Stripe.Decimal.from('0.001'),
    } as const;
    const price = await stripe.prices.create(wanted);
    expect(await stripe.prices.retrieve(price.id)).toMatchObject({
      recurring: { interval: 'month', interval_count: 1, usage_type: 'metered', meter: meter.id },
      transform_quantity: { divide_by: 1_073_741_824, round: 'up' },
      type: 'recurring',
      unit_amount: null,
    });
    expect(price.unit_amount_decimal?.toString()).toBe('0.001');
    const byKey = await stripe.prices.list({ lookup_keys: ['storage', 'none'] });
    expect(byKey.data.map(({ id }) => id)).toEqual([price.id]);
    expect((await stripe.prices.list({ lookup_keys: ['none'] })).data).toEqual([]);
    expect((await stripe.prices.list({ product: product.id })).data).toHaveLength(1);
    expect(await failureOf(stripe.prices.create(wanted))).toMatchObject({ statusCode: 400 });
    const heir = await stripe.prices.create({ ...wanted, transfer_lookup_key: true });
    expect([heir.lookup_key, (await stripe.prices.retrieve(price.id)).lookup_key]).toEqual([
      'storage',
      null,
    ]);
  });

  test('a metered price without a meter, or of nothing that exists, is refused', async () => {
    const { stripe } = await startDouble();
    const { id: product } = await stripe.products.create({ name: 'P' });
    const base = { currency: 'usd', unit_amount: 10, product };
    const recurring = { interval: 'month', usage_type: 'metered' } as const;
    expect(await failureOf(stripe.prices.create({ ...base, recurring }))).toMatchObject({
      param: 'recurring[meter]',
    });
    const withMeter = { ...base, recurring: { ...recurring, meter: 'mtr_x' } };
    expect(await failureOf(stripe.prices.create(withMeter))).toMatchObject({
      message: "No such meter: 'mtr_x'",
    });
    expect(await failureOf(stripe.prices.create({ ...base, product: 'prod_x' }))).toMatchObject({
      message: "No such product: 'prod_x'",
    });
  });
});

describe('meters', () => {
  test('only one active meter has an event name', async () => {
    const { stripe } = await startDouble();
    const meter = await createMeter(stripe, 'file_processed');
    expect(meter).toMatchObject({
      object: 'billing.meter',
      status: 'active',
      customer_mapping: { type: 'by_id', event_payload_key: 'stripe_customer_id' },
      value_settings: { event_payload_key: 'value' },
    });
    expect(await failureOf(createMeter(stripe, 'file_processed'))).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
    });
    await stripe.billing.meters.deactivate(meter.id);
    const second = await createMeter(stripe, 'file_processed');
    const active = await stripe.billing.meters.list({ status: 'active' });
    expect(active.data.map(({ id }) => id)).toEqual([second.id]);
    const inactive = await stripe.billing.meters.list({ status: 'inactive' });
    expect(inactive.data.map(({ id }) => id)).toEqual([meter.id]);
    expect(await failureOf(stripe.billing.meters.reactivate(meter.id))).toMatchObject({
      statusCode: 400,
    });
  });
});

describe('the shape of answers', () => {
  test('a wrong or missing key is 401', async () => {
    const { double } = await startDouble();
    const wrong = await failureOf(sdkFor(double.port, 'sk_test_wrongWrongWrong').customers.list());
    expect([wrong.type, wrong.statusCode]).toEqual(['StripeAuthenticationError', 401]);
    expect(wrong.message).not.toContain('wrongWrongWrong');
    const bare = await fetch(`${double.url}/v1/customers`);
    expect([bare.status, await bare.json()]).toMatchObject([
      401,
      { error: { type: 'invalid_request_error' } },
    ]);
  });

  test('an unknown route is 404, an unknown or missing parameter 400', async () => {
    const { stripe, post } = await startDouble();
    expect(await failureOf(stripe.coupons.list())).toMatchObject({
      statusCode: 404,
      type: 'StripeInvalidRequestError',
    });
    const unknown = await post('/v1/customers', 'metadata[a]=1&colour=red');
    expect([unknown.status, JSON.parse(unknown.body)]).toEqual([
      400,
      {
        error: {
          code: 'parameter_unknown',
          message: 'Received unknown parameter: colour',
          param: 'colour',
          type: 'invalid_request_error',
        },
      },
    ]);
    const missing = await post('/v1/billing/meters', 'display_name=x&event_name=y');
    expect(JSON.parse(missing.body)).toMatchObject({
      error: { code: 'parameter_missing', param: 'default_aggregation' },
    });
    const proto = await post('/v1/customers', '__proto__[polluted]=1');
    expect(JSON.parse(proto.body)).toMatchObject({ error: { param: '__proto__' } });
  });

  test('a body over 1 MiB is 413, and odd paths and names are a 4xx', async () => {
    const { post } = await startDouble();
    expect((await post('/v1/customers', `name=${'x'.repeat(1024 * 1024)}`)).status).toBe(413);
    expect((await post('/v1/customers/%00/..%2f', 'name=x')).status).toBe(404);
    expect((await post('/v1/customers/%E0%A4%A', 'name=x')).status).toBe(404);
    expect((await post('/v1/customers', 'name[=x')).status).toBe(400);
    expect((await post('/v1/customers', `a${'[b]'.repeat(5000)}=x`)).status).toBe(400);
    expect((await post('/v1/customers', 'name=a&name[b]=c')).status).toBe(400);
  });

  test('answers carry request id and version', async () => {
    const { stripe } = await startDouble();
    const { lastResponse } = await stripe.customers.create({});
    expect(lastResponse.requestId).toMatch(/^req_\w{14}$/);
    expect(lastResponse.apiVersion).toBe('2026-10-28.endive');
  });
});
