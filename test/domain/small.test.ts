import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../domain/catalog.ts';
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import { BillingError } from '../../domain/errors.ts';
import { addBytes } from '../../domain/processing.ts';
import { schedules } from '../../domain/schedules.ts';
import { allTaskQueues, stripeTaskQueue, workflowTypes } from '../../domain/temporal-names.ts';
import { conflictingFacts, needsDelivery, parseQuantity } from '../../domain/usage.ts';
import { refusalOf, usageRecord } from './support.ts';

describe('FM4 I9 sums of bytes', () => {
  test('I9 are exact up to 2^53 − 1 and refused beyond', () => {
    expect(addBytes(0, 0)).toBe(0);
    expect(addBytes(1024, 4096)).toBe(5120);
    expect(addBytes(Number.MAX_SAFE_INTEGER - 1, 1)).toBe(Number.MAX_SAFE_INTEGER);
    expect(refusalOf(() => addBytes(Number.MAX_SAFE_INTEGER, 1)).code).toBe('too_large');
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0.1])(
    'I9 %d is not a number of bytes',
    (bytes) => {
      expect(refusalOf(() => addBytes(10, bytes)).code).toBe('too_large');
    },
  );

  test('FM4 a job’s total is the bigint sum, or refused', () => {
    const sizes = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { maxLength: 8 });
    fc.assert(
      fc.property(sizes, (bytes) => {
        const exact = bytes.reduce((sum, size) => sum + BigInt(size), 0n);
        const add = (): number => bytes.reduce((total, size) => addBytes(total, size), 0);
        const fits = exact <= BigInt(Number.MAX_SAFE_INTEGER);
        expect(fits ? BigInt(add()) : refusalOf(add).code).toBe(fits ? exact : 'too_large');
      }),
    );
  });
});

describe('DL1 the same identifier means the same usage', () => {
  const stored = usageRecord({ quantity: '1024' });

  test('DL1 the same facts do not conflict, whatever the state of the delivery', () => {
    expect(
      conflictingFacts(stored, usageRecord({ state: 'delivered', attempts: 4 })),
    ).toStrictEqual([]);
  });

  test.each([
    [{ quantity: '1025' }, ['quantity is 1024, not 1025']],
    [{ quantity: '01024' }, ['quantity is 1024, not 01024']],
    [{ customerId: 'cus_10' }, ['customerId is cus_1, not cus_10']],
    [{ meter: 'storage-usage' as const }, ['meter is file_processed, not storage-usage']],
    [
      { occurredAt: '2026-11-21T12:00:00.001Z' },
      ['occurredAt is 2026-11-21T12:00:00.000Z, not 2026-11-21T12:00:00.001Z'],
    ],
    [
      { customerId: 'cus_2', quantity: '9007199254740993' },
      ['customerId is cus_1, not cus_2', 'quantity is 1024, not 9007199254740993'],
    ],
  ])('DL1 %j is named', (other, named) => {
    expect(conflictingFacts(stored, usageRecord(other))).toStrictEqual(named);
  });

  test('DL1 digits that a double cannot tell apart do conflict', () => {
    const one = usageRecord({ quantity: '9007199254740992' });
    const other = usageRecord({ quantity: '9007199254740993' });
    expect(conflictingFacts(one, other)).toHaveLength(1);
  });
});

describe('FM9 I9 quantities', () => {
  test.each([
    ['0', false],
    ['1', true],
    ['9007199254740993', true],
    ['1'.padEnd(31, '0'), true],
  ])('FM9 %s needs delivery: %s', (quantity, needs) => {
    expect(parseQuantity(quantity)).toBe(quantity);
    expect(needsDelivery(usageRecord({ quantity }))).toBe(needs);
  });

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    '01',
    '00',
    '1 ',
    '1\n',
    'NaN',
    '١',
    '1_000',
    '1'.padEnd(32, '0'),
  ])('I9 %j is not a quantity', (quantity) => {
    const { code, message } = refusalOf(() => parseQuantity(quantity));
    expect(code).toBe('invalid_request');
    expect(message).toContain('is not a whole number of bytes');
    expect(/\p{Cc}/u.test(message)).toBe(false);
  });
});

describe('FM5 what setup makes at Stripe', () => {
  test('FM5 the figures of the page, exactly', () => {
    expect(catalog).toStrictEqual([
      {
        meter: { eventName: 'file_processed', displayName: 'File Processing (Bytes)' },
        product: { id: 'durabill_file_processing', name: 'File Processing' },
        price: {
          lookupKey: 'durabill_file_processing_monthly',
          currency: 'usd',
          unitAmountDecimal: '0.001',
        },
      },
      {
        meter: { eventName: 'storage-usage', displayName: 'Storage (Bytes)' },
        product: { id: 'durabill_storage', name: 'Storage' },
        price: {
          lookupKey: 'durabill_storage_monthly',
          currency: 'usd',
          unitAmountDecimal: '10',
          transform: { divideBy: 1_073_741_824, round: 'up' },
        },
      },
    ]);
  });

  test('FM5 $0.00001 a byte and $0.10 a GB, in cents', () => {
    const [files, storage] = catalog;
    // A hundred thousand bytes are one dollar, which is a hundred cents.
    expect(Math.round(100_000 * Number(files?.price.unitAmountDecimal))).toBe(100);
    expect(Number(storage?.price.unitAmountDecimal)).toBe(10);
    expect(storage?.price.transform?.divideBy).toBe(1024 ** 3);
  });
});

describe('DL5 DL9 names and schedules', () => {
  test('DL9 a dead letter is of a known kind', () => {
    expect(deadLetterKinds).toStrictEqual([
      'usage-rejected',
      'usage-parked',
      'usage-unrecorded',
      'storage-day',
      'storage-night',
      'storage-bill',
      'webhook-event',
    ]);
  });

  test('DL5 the sweep is the separate retry mechanism: every quarter of an hour, never stopped', () => {
    const ids = schedules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const types: string[] = Object.values(workflowTypes);
    expect(schedules.filter(({ workflowType }) => !types.includes(workflowType))).toStrictEqual([]);
    const sweep = schedules.find(({ id }) => id === 'sweep-usage');
    expect([sweep?.workflowType, sweep?.cron, sweep?.pauseOnFailure]).toStrictEqual([
      'sweepUsage',
      '*/15 * * * *',
      false,
    ]);
  });

  test('DL4 Stripe calls have a queue of their own', () => {
    expect(stripeTaskQueue('durabill')).toBe('durabill-stripe');
  });

  test('DL16 each kind of work that may hold up another has a queue of its own', () => {
    expect(allTaskQueues('durabill')).toStrictEqual([
      'durabill',
      'durabill-delivery',
      'durabill-stripe',
      'durabill-events',
      'durabill-files',
      'durabill-listing',
      'durabill-alerts',
    ]);
  });

  test('the one error type carries its code, its words and its cause', () => {
    const cause = new Error('inside');
    const error = new BillingError('conflict', 'two of them', { cause });
    expect([error.name, error.code, error.message, error.cause]).toStrictEqual([
      'BillingError',
      'conflict',
      'two of them',
      cause,
    ]);
    expect(error).toBeInstanceOf(Error);
  });
});
