import { describe, expect, test } from 'vitest';
import { failureOf, startMetering } from './support.ts';

const dayMs = 86_400_000;
const noon = Date.UTC(2026, 10, 3, 12);
const noonSeconds = noon / 1000;

describe('meter events', () => {
  test('are accepted once per identifier, and summed exactly beyond 2^53', async () => {
    const { control, send, stripe } = await startMetering();
    const event = await send({ identifier: 'p-1', value: '999999999999999' });
    expect(event).toMatchObject({
      object: 'billing.meter_event',
      event_name: 'file_processed',
      identifier: 'p-1',
      payload: { stripe_customer_id: 'cus_1', value: '999999999999999' },
    });
    expect(await failureOf(send({ identifier: 'p-1', value: '5', key: 'other' }))).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code: undefined,
      param: undefined,
      message: 'An event already exists with identifier p-1.',
    });
    for (let count = 2; count <= 20; count += 1) {
      await send({ identifier: `p-${count}`, value: '999999999999999' });
    }
    await send({ identifier: 'p-21', value: '0.5' });
    expect(await control.sums()).toEqual([
      { customer: 'cus_1', eventName: 'file_processed', total: '19999999999999980.5', events: 21 },
    ]);
    const generated = await stripe.billing.meterEvents.create({
      event_name: 'file_processed',
      payload: { stripe_customer_id: 'cus_1', value: '1' },
    });
    expect(generated.identifier).not.toBe('');
  });

  test('a late duplicate is counted again, by the clock of the double', async () => {
    const { control, send } = await startMetering();
    await control.setClock('2026-11-03T12:00:00Z');
    await send({ identifier: 'p-1', value: '7' });
    await control.advanceClock(dayMs - 1);
    expect(await failureOf(send({ identifier: 'p-1', value: '7', key: 'b' }))).toMatchObject({
      message: 'An event already exists with identifier p-1.',
    });
    await control.advanceClock(1);
    await send({ identifier: 'p-1', value: '7', key: 'c' });
    expect(await control.total('cus_1', 'file_processed')).toBe('14');
  });

  test('the memory of identifiers can be longer', async () => {
    const { control, send } = await startMetering({ identifierMemoryMs: 34 * dayMs });
    await control.setClock(noon);
    await send({ identifier: 'p-1' });
    await control.advanceClock(33 * dayMs);
    expect(await failureOf(send({ identifier: 'p-1', key: 'b' }))).toMatchObject({
      statusCode: 400,
    });
  });

  test.each([
    ['35 days back', noonSeconds - 35 * 86_400],
    ['5 minutes ahead', noonSeconds + 300],
  ])('a timestamp %s is accepted', async (_name, timestamp) => {
    const { control, send } = await startMetering();
    await control.setClock(noon);
    expect((await send({ identifier: 'p-1', timestamp })).timestamp).toBe(timestamp);
  });

  test.each([
    ['35 days and a second back', noonSeconds - 35 * 86_400 - 1, 'timestamp_too_far_in_past'],
    ['5 minutes and a second ahead', noonSeconds + 301, 'timestamp_in_future'],
  ])('a timestamp %s is refused', async (_name, timestamp, code) => {
    const { control, send } = await startMetering();
    await control.setClock(noon);
    expect(await failureOf(send({ identifier: 'p-1', timestamp }))).toMatchObject({
      statusCode: 400,
      param: 'timestamp',
      code,
    });
  });

  test('without a timestamp it is now', async () => {
    const { control, send } = await startMetering();
    await control.setClock(noon);
    expect((await send({ identifier: 'p-1' })).timestamp).toBe(noonSeconds);
  });

  test.each(['', 'abc', '1e3', ' 1', '0x10', '1,000', '1.2.3', '.', '-', '1234567890123456'])(
    'the value %j is refused',
    async (value) => {
      const { control, send } = await startMetering();
      expect(await failureOf(send({ identifier: 'p-1', value }))).toMatchObject({
        statusCode: 400,
        param: 'payload[value]',
      });
      expect(await control.sums()).toEqual([]);
    },
  );

  test('unknown and deleted customers are refused, by name', async () => {
    const { send, stripe } = await startMetering();
    expect(await failureOf(send({ identifier: 'p-1', customer: 'cus_x' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      message: "No such customer: 'cus_x'",
      param: 'payload[stripe_customer_id]',
    });
    await stripe.customers.del('cus_1');
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({
      message: "No such customer: 'cus_1'",
    });
  });

  test('unknown and inactive meters are refused', async () => {
    const { send, meter, stripe } = await startMetering();
    const unknown = await failureOf(send({ identifier: 'p-1', eventName: 'nothing' }));
    expect([unknown.statusCode, unknown.message]).toEqual([
      400,
      'No meter found with event name nothing.',
    ]);
    await stripe.billing.meters.deactivate(meter.id);
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({
      message: 'No meter found with event name file_processed.',
    });
  });
});

describe('one call at a time per customer and meter', () => {
  test('a concurrent one is 429 lock_timeout; another customer goes on', async () => {
    const { control, send } = await startMetering();
    await control.createCustomer({ id: 'cus_2' });
    await control.fault({ kind: 'hang_before', path: '/v1/billing/meter_events' });
    const first = failureOf(send({ identifier: 'p-1' }));
    await control.waitForHanging();
    expect(await failureOf(send({ identifier: 'p-2' }))).toMatchObject({
      type: 'StripeRateLimitError',
      statusCode: 429,
      code: 'lock_timeout',
    });
    await send({ identifier: 'p-3', customer: 'cus_2' });
    const { maxConcurrent } = await control.state();
    expect(maxConcurrent).toEqual([
      { customer: 'cus_1', eventName: 'file_processed', maxConcurrent: 2 },
      { customer: 'cus_2', eventName: 'file_processed', maxConcurrent: 1 },
    ]);
    // The SDK retries a broken connection once by itself, even with maxNetworkRetries: 0.
    expect(await control.releaseHanging()).toBe(1);
    await expect(first).rejects.toThrow('expected to fail');
    await send({ identifier: 'p-2' });
    expect(await control.total('cus_1', 'file_processed')).toBe('2048');
  });

  test('calls one after the other never meet', async () => {
    const { control, send } = await startMetering();
    for (let count = 0; count < 50; count += 1) await send({ identifier: `p-${count}` });
    const { maxConcurrent } = await control.state();
    expect(maxConcurrent.map((entry) => entry.maxConcurrent)).toEqual([1]);
  });
});

describe('summaries', () => {
  const start = Date.UTC(2026, 10, 1) / 1000;
  const end = Date.UTC(2026, 10, 4) / 1000;

  async function withUsage() {
    const started = await startMetering();
    await started.control.setClock(noon);
    for (const [index, hours] of [0, 1, 1, 25, 60].entries()) {
      const timestamp = start + hours * 3600;
      await started.send({ identifier: `p-${index}`, value: '10', timestamp });
    }
    return started;
  }

  test('sum by the timestamp of the event: start inclusive, end exclusive', async () => {
    const { stripe, meter } = await withUsage();
    const range = { customer: 'cus_1', start_time: start, end_time: start + 25 * 3600 };
    const { data } = await stripe.billing.meters.listEventSummaries(meter.id, range);
    expect(data.map((row) => [row.aggregated_value, row.start_time, row.end_time])).toEqual([
      [30, range.start_time, range.end_time],
    ]);
  });

  test('by day and by hour, newest first, in pages', async () => {
    const { stripe, meter } = await withUsage();
    const range = { customer: 'cus_1', start_time: start, end_time: end };
    const days = await stripe.billing.meters.listEventSummaries(meter.id, {
      ...range,
      value_grouping_window: 'day',
    });
    expect(
      days.data.map((row) => [(row.start_time - start) / 86_400, row.aggregated_value]),
    ).toEqual([
      [2, 10],
      [1, 10],
      [0, 30],
    ]);
    const hours: number[][] = [];
    const pages = stripe.billing.meters.listEventSummaries(meter.id, {
      ...range,
      value_grouping_window: 'hour',
      limit: 1,
    });
    for await (const row of pages)
      hours.push([(row.start_time - start) / 3600, row.aggregated_value]);
    expect(hours).toEqual([
      [60, 10],
      [25, 10],
      [1, 20],
      [0, 10],
    ]);
  });

  test.each([
    ['a start within a minute', { start_time: start + 1, end_time: end }, 'start_time'],
    ['an end within a minute', { start_time: start, end_time: end + 59 }, 'end_time'],
    ['an end before the start', { start_time: end, end_time: start }, 'end_time'],
  ])('%s is 400', async (_name, range, param) => {
    const { stripe, meter } = await startMetering();
    const asked = stripe.billing.meters.listEventSummaries(meter.id, {
      customer: 'cus_1',
      ...range,
    });
    expect(await failureOf(Promise.resolve(asked))).toMatchObject({ statusCode: 400, param });
  });

  test('may lag, by the clock of the double', async () => {
    const { stripe, meter, control } = await withUsage();
    await control.configure({ summaryLagMs: 60_000 });
    const range = { customer: 'cus_1', start_time: start, end_time: end };
    const total = async () => {
      const { data } = await stripe.billing.meters.listEventSummaries(meter.id, range);
      return data.map((row) => row.aggregated_value);
    };
    expect(await total()).toEqual([0]);
    await control.advanceClock(60_000);
    expect(await total()).toEqual([50]);
  });
});
