import { describe, expect, test } from 'vitest';
import { costOf, fateOf, hasLapsed, parseCast, pricesBytes } from '../../domain/casts.ts';
import type { Cast } from '../../domain/casts.ts';
import { BillingError } from '../../domain/errors.ts';
import { parseProcessing, versionsOf } from '../../domain/files.ts';

const at = '2026-11-21T10:00:00.000Z';
const cast: Cast = {
  period: '2026-11',
  cents: 32,
  at,
  token: 'one',
  price: { centsPerCast: 1, centsPerByte: '0.01' },
};
const order = { processingId: 'cast-1', customerId: 'cus_1', files: ['a', 'b'] };

describe('GA2 what a cast costs', () => {
  test.each([
    [0, 1],
    [3050, 32],
    [1_000_000, 32],
  ])('GA2 %i bytes: %i cents, never more than was set aside', (bytes, cents) => {
    expect(costOf(cast, bytes)).toBe(cents);
  });

  test.each([
    ['0', false],
    ['0.00', false],
    ['0.001', true],
    ['1', true],
  ])('at %s cents a byte, bytes are priced: %s', (centsPerByte, priced) => {
    expect(pricesBytes({ centsPerCast: 1, centsPerByte })).toBe(priced);
  });

  test.each([
    [0, false],
    [60_000, false],
    [60_001, true],
  ])('GA11 started %i ms after its reservation it has lapsed: %s', (ms, lapsed) => {
    expect(hasLapsed(cast, new Date(Date.parse(at) + ms))).toBe(lapsed);
  });
});

describe('GA11 what becomes of a reservation that stands open', () => {
  const row = { castToken: 'one', costCents: 20 };
  test.each([
    ['no row, nothing runs', undefined, false, { do: 'settle', cents: 0 }],
    ['no row yet, it runs', undefined, true, { do: 'wait' }],
    ['it runs', { ...row, status: 'in_progress' }, true, { do: 'wait' }],
    ['its workflow is gone', { ...row, status: 'in_progress' }, false, { do: 'fail' }],
    ['it failed', { ...row, status: 'failed' }, false, { do: 'settle', cents: 0 }],
    ['it completed', { ...row, status: 'completed' }, false, { do: 'settle', cents: 20 }],
    [
      'it completed by another reservation',
      { ...row, castToken: 'two', status: 'completed' },
      false,
      { do: 'settle', cents: 0 },
    ],
    [
      'it runs by another reservation',
      { ...row, castToken: 'two', status: 'in_progress' },
      true,
      { do: 'settle', cents: 0 },
    ],
  ])('GA11 %s', (_what, found, isRunning, fate) => {
    expect(fateOf('one', found, isRunning)).toEqual(fate);
  });
});

describe('a cast as a workflow is given it', () => {
  const versions = [
    { bytes: 1, etag: '"1"' },
    { bytes: 2, etag: '"2"' },
  ];

  test('is taken as it is, and the versions go with their files', () => {
    const request = parseProcessing({ ...order, cast: { ...cast, outage: true, versions } });
    expect(request.cast).toEqual({ ...cast, outage: true, versions });
    expect(versionsOf(request, ['b'])).toEqual({ b: versions[1] });
    expect(versionsOf(order, ['b'])).toBeUndefined();
    expect(parseCast(undefined, 2)).toBeUndefined();
  });

  test.each([
    null,
    7,
    {},
    { ...cast, cents: -1 },
    { ...cast, cents: 1.5 },
    { ...cast, cents: '1' },
    { ...cast, cents: 1e15 },
    { ...cast, period: '2026' },
    { ...cast, at: 'now' },
    { ...cast, token: 7 },
    { ...cast, token: '' },
    { ...cast, price: {} },
    { ...cast, price: { centsPerCast: 1, centsPerByte: '-1' } },
    { ...cast, versions: versions.slice(1) },
    { ...cast, versions: [versions[0], { bytes: -1, etag: '' }] },
    { ...cast, versions: [null, null] },
  ])('GA10 %j is refused', (given) => {
    expect(() => parseProcessing({ ...order, cast: given })).toThrow(BillingError);
  });
});
