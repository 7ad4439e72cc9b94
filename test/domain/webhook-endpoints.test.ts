import { describe, expect, test } from 'vitest';
import { snapshotTypes, thinTypes } from '../../domain/stripe-events.ts';
import { judgeDestinations } from '../../domain/webhook-endpoints.ts';
import type { Destination } from '../../domain/webhook-endpoints.ts';

const publicUrl = 'https://billing.example.com';
const url = `${publicUrl}/webhooks/stripe`;
const endpoint = (more: Partial<Destination> = {}): Destination => ({
  id: 'we_1',
  url,
  isEnabled: true,
  events: ['*'],
  payload: 'snapshot',
  ...more,
});
const thin = (more: Partial<Destination> = {}) =>
  endpoint({ id: 'ed_1', payload: 'thin', events: [...thinTypes], ...more });
const details = (destinations: readonly Destination[], address: string | undefined = publicUrl) =>
  judgeDestinations(destinations, address).map(({ detail }) => detail);

describe('WH13 case 17: what Stripe sends us', () => {
  test('an endpoint for everything and a destination for thin events: in order', () => {
    expect(details([endpoint(), thin()])).toEqual([]);
    expect(details([endpoint({ events: snapshotTypes }), thin()])).toEqual([]);
    expect(details([endpoint({ url: 'https://old.example.com/x' }), endpoint(), thin()])).toEqual(
      [],
    );
  });

  test('one type only: all others of page 3’s table are named, with what to do', () => {
    const [problem] = judgeDestinations(
      [endpoint({ events: ['invoice.paid'] }), thin()],
      publicUrl,
    );
    const missing = snapshotTypes.filter((type) => type !== 'invoice.paid').join(', ');
    expect(problem).toEqual({
      detail: `webhook endpoint we_1 does not ask for ${missing}`,
      advice: `add to we_1: ${missing}`,
    });
    expect(missing).toContain('charge.dispute.created');
  });

  test('two endpoints of ours may share the types', () => {
    const [first, ...rest] = snapshotTypes;
    const both = [endpoint({ events: rest }), endpoint({ id: 'we_2', events: [first ?? ''] })];
    expect(details([...both, thin()])).toEqual([]);
  });

  test('disabled', () => {
    expect(details([endpoint({ isEnabled: false }), thin()])).toEqual([
      'webhook endpoint we_1 is disabled',
    ]);
  });

  test('another address', () => {
    const elsewhere = endpoint({ url: 'https://old.example.com/webhooks/stripe' });
    expect(details([elsewhere, thin()])).toEqual([
      'no webhook endpoint leads to us (we_1 goes to https://old.example.com/webhooks/stripe)',
    ]);
    expect(judgeDestinations([elsewhere, thin({ url: elsewhere.url })], undefined)).toEqual([]);
  });

  test('no destination for thin events', () => {
    const [problem] = judgeDestinations([endpoint()], `${publicUrl}/`);
    expect(problem?.detail).toBe('no event destination for thin events leads to us');
    for (const type of thinTypes) expect(problem?.advice).toContain(type);
  });

  test('nothing at all: both are named', () => {
    expect(details([])).toHaveLength(2);
  });
});
