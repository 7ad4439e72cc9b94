/** Every dead letter is told of, and only those that a person must look at. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDeadLetter } from '../../activities/dead-letter.ts';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import { apply, receive, stage, useEvents } from './events-support.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { newLetter } from '../support/dead-letters.ts';

useEvents();

const event = (id: string) => ({
  id,
  object: 'event',
  type: 'customer.updated',
  created: Math.floor(Date.now() / 1000),
  livemode: false,
  data: { object: { id: 'cus_told', object: 'customer' } },
});

test.each(deadLetterKinds)('GA16 a dead letter of kind %s is told of', async (kind) => {
  const { deps, told } = createTestDependencies(stage().services);
  const opened = newLetter(kind, 'of-a-test', { error: 'anna@example.com is unknown' });
  const { id } = opened;
  await openDeadLetter(deps, opened);
  expect((await deps.deadLetters.get(id))?.status).toBe('open');
  const letter = { deadLetterId: id, deadLetterKind: kind };
  expect(told.alerts).toEqual([{ kind: 'dead_letter_opened', customerId: 'cus_1', facts: letter }]);
  const { values } = await deps.metrics.deadLetters.get();
  expect(values.filter(({ value }) => value > 0)).toEqual([{ labels: { kind }, value: 1 }]);
});

test('GA16 there is no other way to open one', () => {
  const folder = join(import.meta.dirname, '../..');
  const opening = ['activities', 'operations', 'server', 'cli'].flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })
      .map((file) => `${part}/${file}`)
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => /deadLetters\s*\.open\(/.test(readFileSync(join(folder, file), 'utf8'))),
  );
  expect(opening).toEqual(['activities/dead-letter.ts']);
});

test('GA16 of an event that was applied after all nobody hears', async () => {
  const { deps, told } = createTestDependencies(stage().services);
  const { layAsideEvent } = createWebhookActivities(deps);
  const order = { error: 'no luck', tries: 3 };
  await stage().services.control.createCustomer({ id: 'cus_told' });
  const applied = await receive(event('evt_applied_after_all'));
  expect(await apply([applied])).toEqual({ applied: 1 });
  expect(await layAsideEvent({ eventId: applied, ...order })).toEqual({ dead: false });
  expect(told.alerts).toEqual([]);
  const dead = await receive(event('evt_dead'));
  expect(await layAsideEvent({ eventId: dead, ...order })).toEqual({ dead: true });
  expect(told.alerts).toMatchObject([
    { kind: 'dead_letter_opened', facts: { deadLetterId: `webhook-event/${dead}` } },
  ]);
});

test('GA16 a key that Stripe refuses is told of, for its events wait', async () => {
  const { deps, told } = createTestDependencies(stage().services);
  const { raiseAlert } = deps;
  const eventId = await receive(event('evt_refused_key'));
  const path = '/v1/customers/cus_told';
  await stage().services.control.fault({ kind: 'status', path, status: 401, times: 1 });
  expect(await apply([eventId], { raiseAlert })).toMatchObject({ failure: { fault: 'key' } });
  expect(told.alerts).toMatchObject([{ kind: 'webhooks_halted', facts: {} }]);
});
