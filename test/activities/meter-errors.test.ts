/** Reports of usage that Stripe took and refused later: what they name, and what they only count. */
import { describe, expect, test } from 'vitest';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import { deadLetterId } from '../../domain/ids.ts';
import { apply, receive, stage, useEvents } from './events-support.ts';

useEvents();

const meter = 'file_processed' as const;

/** Recorded, sent to the double, and delivered as the ledger has it. */
async function deliver(customerId: string, identifier: string, quantity = '100'): Promise<void> {
  const { ledger, stripe } = stage().services;
  const at = new Date().toISOString();
  const source = { kind: 'processing' as const, id: identifier };
  await ledger.record({ identifier, customerId, meter, quantity, occurredAt: at, source }, at);
  await ledger.claim(identifier, at);
  await stripe.billing.meterEvents.create({
    event_name: meter,
    identifier,
    payload: { stripe_customer_id: customerId, value: quantity },
  });
  await ledger.confirm(identifier, at, 'delivered');
}

/** As the webhook brings it: a thin event names nothing of its content. */
async function report(
  errors: { identifier: string; lost?: boolean; unnamed?: boolean }[],
  named = true,
): Promise<string> {
  const { control, stripe } = stage().services;
  const [found] = (await stripe.billing.meters.list({ status: 'active', limit: 100 })).data.filter(
    ({ event_name: name }) => name === meter,
  );
  const made = await control.reportMeterErrors({
    errors,
    ...(named ? { meter: found?.id ?? '' } : {}),
  });
  const { id, type } = made;
  const created = new Date().toISOString();
  return await receive({ id, type, object: 'v2.core.event', created, livemode: false });
}

const stateOf = async (identifier: string) =>
  (await stage().services.ledger.get(identifier))?.state;
const letterOf = async (identifier: string) =>
  await stage().services.deadLetters.get(deadLetterId('usage-rejected', identifier));

describe('WH14 a report that is told again', () => {
  test('WH14 leaves a letter that a person discarded as it is, with its reason', async () => {
    await stage().services.control.createCustomer({ id: 'cus_discarded' });
    await deliver('cus_discarded', 'job-discarded');
    expect(await apply([await report([{ identifier: 'job-discarded' }])])).toEqual({ applied: 1 });
    expect(await stateOf('job-discarded')).toBe('rejected');
    const { deadLetters } = stage().services;
    const { id = '', updatedAt = '' } = (await letterOf('job-discarded')) ?? {};
    const to = { status: 'discarded', reason: 'test customer' } as const;
    await deadLetters.close(id, to, new Date().toISOString(), updatedAt);
    expect(await apply([await report([{ identifier: 'job-discarded' }])])).toEqual({ applied: 1 });
    expect(await letterOf('job-discarded')).toMatchObject({
      status: 'discarded',
      discardReason: 'test customer',
    });
  });

  test('WH14 leaves a record that was redriven and delivered since', async () => {
    await stage().services.control.createCustomer({ id: 'cus_redriven' });
    await deliver('cus_redriven', 'job-redriven');
    const early = await report([{ identifier: 'job-redriven' }]);
    expect(await apply([early])).toEqual({ applied: 1 });
    const again = await report([{ identifier: 'job-redriven' }]);
    const { ledger } = stage().services;
    const record = await ledger.get('job-redriven');
    if (record === undefined) throw new Error('it is gone');
    const later = new Date(Date.now() + 1000).toISOString();
    await ledger.requeue(record, later);
    await ledger.claim('job-redriven', later);
    await ledger.confirm('job-redriven', later, 'delivered');
    expect(await apply([again])).toEqual({ applied: 1 });
    expect(await stateOf('job-redriven')).toBe('delivered');
  });

  test('WH14 names a record by its idempotency key as well', async () => {
    await stage().services.control.createCustomer({ id: 'cus_key' });
    await deliver('cus_key', 'job-key');
    expect(await apply([await report([{ identifier: 'job-key/attempt-3' }])])).toEqual({
      applied: 1,
    });
    expect(await stateOf('job-key')).toBe('rejected');
  });
});

describe('WH14 a report that counts more than it names', () => {
  const jobs = Array.from({ length: 12 }, (_, index) => `job-of-many-${index}`);

  test('WH14 twelve refused and two named: these rejected, the missing sum in a dead letter', async () => {
    const customerId = 'cus_many_lost';
    await stage().services.control.createCustomer({ id: customerId });
    await stage().services.control.createCustomer({ id: 'cus_well' });
    await deliver('cus_well', 'job-well');
    for (const identifier of jobs) await deliver(customerId, identifier);
    const errors = jobs.map((identifier, index) => ({
      identifier,
      lost: true,
      unnamed: index > 1,
    }));
    const eventId = await report(errors);
    const outcome = await apply([eventId]);
    expect(outcome).toMatchObject({ applied: 0, failure: { fault: 'event', final: false } });
    const error = outcome.failure?.error ?? '';
    expect(error).toContain('Stripe refused 10 more than it names');
    expect(error).toContain(`${customerId} file_processed`);
    expect(error).toContain('Stripe has 0 of 1000, 1000 are missing');
    expect(error).not.toContain('cus_well');
    expect(await Promise.all(jobs.slice(0, 3).map(stateOf))).toEqual([
      'rejected',
      'rejected',
      'delivered',
    ]);
    const { layAsideEvent } = createWebhookActivities(stage().deps);
    expect(await layAsideEvent({ eventId, error, tries: 3 })).toEqual({ dead: true });
    const letter = await stage().services.deadLetters.get(deadLetterId('webhook-event', eventId));
    expect(letter).toMatchObject({ status: 'open', error });
    expect((await stage().services.webhookEvents.get(eventId))?.status).toBe('dead');
  });

  test('WH14 what it does not name is not ours: the sums are equal, and it is applied', async () => {
    await stage().services.control.createCustomer({ id: 'cus_whole' });
    await deliver('cus_whole', 'job-whole');
    const errors = [{ identifier: 'job-of-others', unnamed: true }];
    const { now } = stage().deps;
    expect(now().getTime()).toBeGreaterThan(0);
    const outcome = await apply([await report(errors)]);
    // The customer of the test before is short still; nobody else is.
    expect(outcome.failure?.error ?? '').not.toContain('cus_whole');
  });
});
