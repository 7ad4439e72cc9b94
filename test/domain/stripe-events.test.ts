import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountOf, effectOf, eventLine, readEvent } from '../../domain/stripe-events.ts';
import { anyText } from './support.ts';

const snapshot = (changes: object = {}) => ({
  id: 'evt_1',
  object: 'event',
  type: 'invoice.paid',
  created: 1_795_255_200,
  livemode: false,
  data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
  ...changes,
});
const thin = (changes: object = {}) => ({
  id: 'evt_test_65',
  object: 'v2.core.event',
  type: 'v1.billing.meter.error_report_triggered',
  created: '2026-11-21T10:00:00.123Z',
  livemode: true,
  related_object: { id: 'mtr_1', type: 'billing.meter', url: '/v1/billing/meters/mtr_1' },
  ...changes,
});
const facts = {
  eventId: 'evt_1',
  type: 'invoice.paid',
  createdAt: '2026-11-21T10:00:00.000Z',
  livemode: false,
  thin: false,
};

describe('readEvent', () => {
  test('a snapshot event: its object and customer', () => {
    expect(readEvent(snapshot())).toStrictEqual({
      ...facts,
      objectId: 'in_1',
      customerId: 'cus_1',
    });
  });

  test('WH9 a thin event: the object that it is about, and no customer', () => {
    expect(readEvent(thin())).toStrictEqual({
      eventId: 'evt_test_65',
      type: 'v1.billing.meter.error_report_triggered',
      createdAt: '2026-11-21T10:00:00.123Z',
      livemode: true,
      thin: true,
      objectId: 'mtr_1',
    });
    expect(readEvent(thin({ related_object: null }))).not.toHaveProperty('objectId');
  });

  test.each([
    ['an expanded customer', { id: 'sub_1', customer: { id: 'cus_2' } }, 'sub_1', 'cus_2'],
    ['a customer itself', { id: 'cus_3', object: 'customer' }, 'cus_3', 'cus_3'],
    ['no customer', { id: 'pi_1', customer: null }, 'pi_1', undefined],
    ['an object without an id', { customer: 'cus_4' }, undefined, 'cus_4'],
    ['ids that are no text', { id: 1, customer: ['cus_5'] }, undefined, undefined],
    ['ids that can be none', { id: '', customer: 'cus 6\n' }, undefined, undefined],
    ['ids without end', { id: 'x'.repeat(256), customer: '\ud800' }, undefined, undefined],
    ['no object', null, undefined, undefined],
  ])('WH8 a snapshot of %s', (_what, object, objectId, customerId) => {
    expect(readEvent(snapshot({ data: { object } }))).toStrictEqual({
      ...facts,
      ...(objectId === undefined ? {} : { objectId }),
      ...(customerId === undefined ? {} : { customerId }),
    });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'evt_1'],
    ['a list', [snapshot()]],
    ['no id', snapshot({ id: undefined })],
    ['an id of another kind', snapshot({ id: 'in_1' })],
    ['an id that ends a line', snapshot({ id: 'evt_1\n' })],
    ['an id that is a path', snapshot({ id: 'evt_../x' })],
    ['an id without end', snapshot({ id: `evt_${'1'.repeat(201)}` })],
    ['no type', snapshot({ type: null })],
    ['a type without end', snapshot({ type: 'x'.repeat(201) })],
    ['no mode', snapshot({ livemode: 'false' })],
    ['no kind', snapshot({ object: undefined })],
    ['another kind', snapshot({ object: 'invoice' })],
    ['no time', snapshot({ created: undefined })],
    ['a time that is none', thin({ created: 'yesterday' })],
    ['a time beyond dates', snapshot({ created: 8.64e12 + 1 })],
    ['a time without end', snapshot({ created: Infinity })],
    ['a time that cannot be written', snapshot({ created: { toString: 1, valueOf: 1 } })],
    ['a list as a time', snapshot({ created: [1] })],
  ])('refused: %s', (_what, event) => {
    expect(readEvent(event)).toBeUndefined();
  });

  test('whatever is sent, it answers: facts of the right kinds, or undefined', () => {
    const value = fc.oneof(
      anyText(8),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant({ id: { customer: [] }, toString: 1 }),
      fc.constant('cus_1'),
    );
    const names = ['id', 'object', 'type', 'created', 'livemode', 'data', 'related_object'];
    const change = fc.dictionary(fc.constantFrom(...names), value);
    const check = fc.check(
      fc.property(change, fc.boolean(), value, (changes, isThin, object) => {
        const data = { object: { id: object, customer: object, object } };
        const found = readEvent({ ...(isThin ? thin() : snapshot({ data })), ...changes });
        if (found === undefined) return true;
        const { eventId, createdAt, objectId = 'x', customerId = 'x' } = found;
        return (
          eventId.startsWith('evt_') &&
          new Date(createdAt).toISOString() === createdAt &&
          /^[\x21-\x7e]+ [\x21-\x7e]+$/.test(`${objectId} ${customerId}`) &&
          eventLine(found).length > 0
        );
      }),
      { numRuns: 2000 },
    );
    expect(check.counterexample).toBeNull();
  });
});

describe('WH8 effects and lines', () => {
  test.each([
    ['invoice.paid', 'invoice'],
    ['customer.subscription.resumed', 'subscription'],
    ['checkout.session.async_payment_failed', 'checkout'],
    ['payment_intent.payment_failed', 'payment-intent'],
    ['v1.billing.meter.no_meter_found', 'meter-error'],
    ['customer.created', 'customer'],
    ['invoice.voided', 'invoice'],
    ['payment_intent.canceled', 'payment-intent'],
    ['charge.refunded', 'charge'],
    ['charge.dispute.closed', 'dispute'],
    ['credit_note.voided', 'credit-note'],
    ['charge.updated', 'ignored'],
    ['invoice.paid ', 'ignored'],
    ['', 'ignored'],
    ['constructor', 'ignored'],
    ['__proto__', 'ignored'],
    ['toString', 'ignored'],
  ])('"%s" is %s', (type, effect) => {
    expect(effectOf(type)).toBe(effect);
  });

  test('WH5 a customer has one line whatever the event; without one it is the line of its kind', () => {
    const named = { eventId: 'evt_1', objectId: 'pi_1' };
    expect(eventLine({ ...named, customerId: 'cus_1', type: 'invoice.paid' })).toBe('cus_1');
    expect(eventLine({ ...named, customerId: 'cus_1', type: 'customer.updated' })).toBe('cus_1');
    expect(eventLine({ ...named, type: 'payment_intent.succeeded' })).toBe(
      'no-customer/payment-intent/pi_1',
    );
    expect(eventLine({ eventId: 'evt_1', type: 'charge.updated' })).toBe(
      'no-customer/ignored/evt_1',
    );
  });
});

test('WH12 reports of wrong usage do not wait for each other, though they name the same meter', () => {
  const type = 'v1.billing.meter.error_report_triggered';
  const lines = ['evt_1', 'evt_2'].map((eventId) =>
    eventLine({ eventId, objectId: 'mtr_1', type }),
  );
  expect(lines).toEqual(['no-customer/meter-error/evt_1', 'no-customer/meter-error/evt_2']);
});

describe('WH12 the account that an event is of', () => {
  test.each([
    [{ object: 'event' }, undefined],
    [{ object: 'event', account: 'acct_1other' }, 'acct_1other'],
    [{ object: 'event', account: '' }, undefined],
    [{ object: 'event', account: null, context: 'acct_1' }, undefined],
    [{ object: 'v2.core.event', context: 'acct_1other' }, 'acct_1other'],
    [{ object: 'v2.core.event', context: 'org_1/acct_1other' }, 'acct_1other'],
    [{ object: 'v2.core.event', context: null }, undefined],
    ['nothing', undefined],
  ])('%j: %s', (event, account) => {
    expect(accountOf(event)).toBe(account);
  });
});
