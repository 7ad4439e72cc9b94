import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deadLetterId,
  deliveryLane,
  deliveryShard,
  deliveryShardCount,
  meterEventIdempotencyKey,
  parseCustomerId,
  parseProcessingId,
  printable,
  workflowIds,
} from '../../domain/ids.ts';
import { anyText, refusalOf } from './support.ts';

const meters = ['file_processed', 'storage-usage'] as const;
const customerIds = fc.stringMatching(/^cus_[A-Za-z0-9_]{1,40}$/);

describe('FM1 DL5 ids come from business facts', () => {
  test('FM1 a processing and a shard have one workflow id each', () => {
    expect(workflowIds.processFiles('job-1')).toBe('process-files/job-1');
    expect(workflowIds.deliverUsage(7)).toBe('deliver-usage/7');
    expect(workflowIds.customer('cus_1')).toBe('customer/cus_1');
    expect(workflowIds.catchUpWebhooks('2026-11-01')).toBe('catch-up-webhooks/2026-11-01');
    expect(workflowIds.catchUpWebhooks(undefined)).toBe('catch-up-webhooks/usual');
    expect(deliveryLane('cus_1', 'file_processed')).toBe('cus_1/file_processed');
    expect(deadLetterId('usage-parked', 'job-1')).toBe('usage-parked/job-1');
  });

  test('FM1 different processings never share a workflow id, different lanes never a name', () => {
    const lanes = fc.tuple(customerIds, fc.constantFrom(...meters));
    fc.assert(
      fc.property(lanes, lanes, (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect(deliveryLane(...one) === deliveryLane(...other)).toBe(same);
      }),
    );
  });

  test('FM5 the Idempotency-Key is the identifier, until a saved answer was replayed', () => {
    expect(meterEventIdempotencyKey('job-1', 1, false)).toBe('job-1');
    expect(meterEventIdempotencyKey('job-1', 9, false)).toBe('job-1');
    expect(meterEventIdempotencyKey('job-1', 2, true)).toBe('job-1/attempt-2');
    expect(meterEventIdempotencyKey('job-1', 3, true)).toBe('job-1/attempt-3');
  });
});

describe('DL4 DL5 shards', () => {
  // Rows in production tables carry these numbers: a change of the hash strands them.
  test.each([
    ['cus_1', 6, 2],
    ['cus_10', 2, 6],
    ['cus_NffrFeUfNV2Hib', 0, 4],
    ['cus_demo', 4, 0],
    ['cus_____', 5, 7],
  ])('DL4 %s keeps its shards %i and %i for good', (customerId, files, storage) => {
    expect(deliveryShard(customerId, 'file_processed')).toBe(files);
    expect(deliveryShard(customerId, 'storage-usage')).toBe(storage);
  });

  test('DL4 a lane is always in one shard, the FNV-1a of its name', () => {
    const oracle = (text: string): number => {
      let hash = 0x811c9dc5n;
      for (const byte of new TextEncoder().encode(text)) {
        hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffff_ffffn;
      }
      return Number(hash % BigInt(deliveryShardCount));
    };
    fc.assert(
      fc.property(customerIds, fc.constantFrom(...meters), (customerId, meter) => {
        const shard = deliveryShard(customerId, meter);
        expect(shard).toBe(oracle(`${customerId}/${meter}`));
        expect(deliveryShard(customerId, meter)).toBe(shard);
      }),
    );
  });

  test.each(meters)('DL5 8,000 customers of %s are spread over all shards', (meter) => {
    const sizes = Array.from({ length: deliveryShardCount }, () => 0);
    for (let customer = 0; customer < 8000; customer += 1) {
      const shard = deliveryShard(`cus_${(customer * 7919).toString(36)}`, meter);
      sizes[shard] = (sizes[shard] ?? 0) + 1;
    }
    const even = 8000 / deliveryShardCount;
    expect(sizes.filter((size) => size < even * 0.8 || size > even * 1.2)).toStrictEqual([]);
  });
});

const hostile = [
  '',
  ' ',
  'cus_',
  'cus_1 ',
  ' cus_1',
  'cus_1\n',
  'CUS_1',
  'cus_1/../cus_2',
  'cus_1/',
  'cus_a.b',
  'cus_a-b',
  'cus_é',
  'cus_\u0000',
  'cus_\ud800',
  'cus_%2e',
  `cus_${'a'.repeat(97)}`,
  'sub_1',
  '__proto__',
];

describe('FM1 hostile ids', () => {
  test.each(hostile)('FM7 customer id %j is refused', (value) => {
    const { code, message } = refusalOf(() => parseCustomerId(value));
    expect(code).toBe('invalid_request');
    expect(message).toContain('is not a Stripe customer id');
  });

  test.each(['cus_1', 'cus_NffrFeUfNV2Hib', 'cus_a_b_c', `cus_${'a'.repeat(96)}`])(
    'FM7 customer id %s is taken as it is',
    (value) => {
      expect(parseCustomerId(value)).toBe(value);
    },
  );

  test.each(['storage-cus_1-2026-02', 'Storage-x', 'storage-'])(
    'FM17 %s is no processing id: it names the usage of another source',
    (value) => {
      expect(refusalOf(() => parseProcessingId(value))).toMatchObject({
        code: 'invalid_request',
        message: `"${value}" is not a processing id: "storage-…" names the usage of another source`,
      });
    },
  );

  test.each([
    '',
    '.',
    '..',
    '-a',
    '_a',
    '.a',
    'a/b',
    'a b',
    'a\n',
    'é',
    'a\u0000',
    'a:b',
    'a\\b',
    'a'.repeat(101),
  ])('FM1 processing id %j is refused', (value) => {
    const { code, message } = refusalOf(() => parseProcessingId(value));
    expect(code).toBe('invalid_request');
    expect(message).toContain('is not a processing id');
  });

  test.each(['a', '0', 'job-1', 'a..b', 'A_b.c-d', 'a'.repeat(100)])(
    'FM1 processing id %s is taken as it is',
    (value) => {
      expect(parseProcessingId(value)).toBe(value);
    },
  );

  test('FM1 an accepted processing id is one step of a path and short enough for Stripe', () => {
    fc.assert(
      fc.property(anyText(120), (value) => {
        let accepted: string | undefined;
        try {
          accepted = parseProcessingId(value);
        } catch {
          accepted = undefined;
        }
        expect(accepted === undefined || /^[\w.-]{1,100}$/.test(accepted)).toBe(true);
      }),
    );
  });

  test('I10 a hostile id is shown short and without control or format characters', () => {
    expect(printable('a\u0000b\u001b[31m\u202ec\u0085')).toBe('a�b�[31m�c�');
    expect(printable('x'.repeat(120))).toBe('x'.repeat(120));
    expect(printable('x'.repeat(121))).toBe(`${'x'.repeat(117)}…`);
    fc.assert(
      fc.property(anyText(300), (value) => {
        const shown = printable(value);
        expect(/[\p{Cc}\p{Cf}]/u.test(shown)).toBe(false);
        expect(shown.length <= 120).toBe(true);
      }),
    );
  });
});
