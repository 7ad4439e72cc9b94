import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterFailedRound,
  arrivedAndUncertain,
  minuteOf,
  mustReconcile,
  reconcile,
  refusalBeforeSending,
} from '../../domain/delivery.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import type { Verdict } from '../../domain/delivery.ts';
import { iso, noon, noonMs, usageRecord } from './support.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('FM10 timestamps outside Stripe’s window are refused before sending', () => {
  test.each([
    ['now', 0, undefined],
    ['exactly 35 days old', -35 * day, undefined],
    ['exactly 5 minutes ahead', 5 * minute, undefined],
    ['a millisecond older than 35 days', -35 * day - 1, 'is older than the 35 days'],
    ['a millisecond more than 5 minutes ahead', 5 * minute + 1, 'is more than 5 minutes ahead'],
    ['of 1970', -noonMs, 'is older than the 35 days'],
  ])('FM10 %s', (_name, offsetMs, reason) => {
    const occurredAt = iso(noonMs + offsetMs);
    const refusal = refusalBeforeSending(usageRecord({ occurredAt }), noonMs);
    expect(refusal?.includes(reason ?? 'nothing')).toBe(reason === undefined ? undefined : true);
    expect(refusal?.includes(occurredAt)).toBe(reason === undefined ? undefined : true);
  });

  test.each(['', 'yesterday', '2026-13-01T00:00:00Z'])(
    'FM10 %j is no time at all',
    (occurredAt) => {
      expect(refusalBeforeSending(usageRecord({ occurredAt }), noonMs)).toBe(
        `timestamp ${occurredAt} is not a time`,
      );
    },
  );

  test('FM10 inside the window nothing is refused, outside everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: -40 * day, max: 2 * hour }), (offsetMs) => {
        const record = usageRecord({ occurredAt: iso(noonMs + offsetMs) });
        const inside = offsetMs >= -35 * day && offsetMs <= 5 * minute;
        expect(refusalBeforeSending(record, noonMs) === undefined).toBe(inside);
      }),
    );
  });
});

describe('DL7 what is known of a record’s meter events', () => {
  const large = { identifier: 'job', quantity: '2000000000000000' };
  test.each<[Partial<UsageRecord>, string, string]>([
    [{ ...large }, '0', '0'],
    [{ ...large, attempts: 1 }, '0', '999999999999999'],
    [{ ...large, attempts: 1, eventsSent: 1 }, '999999999999999', '999999999999999'],
    [{ ...large, attempts: 2, eventsSent: 2 }, '1999999999999998', '2'],
    [{ ...large, attempts: 2, state: 'delivered' }, '2000000000000000', '0'],
    [{ quantity: '7', attempts: 1 }, '0', '7'],
    [{ quantity: '7', attempts: 1, state: 'rejected' }, '0', '7'],
    [{ quantity: '7' }, '0', '0'],
  ])('DL7 %o: arrived %s, perhaps %s', (facts, arrived, uncertain) => {
    expect(arrivedAndUncertain(usageRecord(facts))).toEqual({ arrived, uncertain });
  });
});

describe('DL2 after a day Stripe’s sums are asked first', () => {
  test('DL2 never before a first attempt', () => {
    expect(mustReconcile(usageRecord(), noonMs)).toBe(false);
  });

  test.each([
    [0, false],
    [22 * hour, false],
    [23 * hour - 1, false],
    [23 * hour, true],
    [24 * hour, true],
    [40 * day, true],
  ])('DL2 %i ms after the first attempt: %s', (ageMs, must) => {
    expect(mustReconcile(usageRecord({ firstAttemptAt: noon }), noonMs + ageMs)).toBe(must);
  });
});

describe('DL3 after a round of retries was used up', () => {
  test.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 32],
    [6, 60],
    [7, 60],
    [10, 60],
    [5000, 60],
  ])('DL3 round %i waits %i minutes', (rounds, minutes) => {
    const record = usageRecord({ rounds, firstAttemptAt: noon });
    expect(afterFailedRound(record, noonMs + 1)).toStrictEqual({
      state: 'pending',
      nextAttemptAt: iso(noonMs + 1 + minutes * minute),
    });
  });

  test('DL3 parks 72 hours after the first attempt, not before', () => {
    const record = usageRecord({ rounds: 40, firstAttemptAt: noon });
    expect(afterFailedRound(record, noonMs + 72 * hour - 1).state).toBe('pending');
    expect(afterFailedRound(record, noonMs + 72 * hour)).toStrictEqual({ state: 'parked' });
    expect(afterFailedRound(record, noonMs + 90 * day)).toStrictEqual({ state: 'parked' });
  });

  test('DL3 a record that was never attempted is not parked', () => {
    expect(afterFailedRound(usageRecord({ rounds: 3 }), noonMs)).toStrictEqual({
      state: 'pending',
      nextAttemptAt: iso(noonMs + 8 * minute),
    });
  });

  test('DL9 a redrive restarts the 72 hours, though the first attempt is long ago', () => {
    const record = usageRecord({ firstAttemptAt: iso(noonMs - 30 * day), retryingSince: noon });
    expect(afterFailedRound(record, noonMs + 71 * hour).state).toBe('pending');
    expect(afterFailedRound(record, noonMs + 72 * hour)).toStrictEqual({ state: 'parked' });
    expect(mustReconcile(record, noonMs)).toBe(true);
  });

  test('DL3 from the first attempt to parking takes a bounded number of rounds', () => {
    let nowMs = noonMs;
    let rounds = 0;
    for (;;) {
      const next = afterFailedRound(usageRecord({ rounds, firstAttemptAt: noon }), nowMs);
      if (next.state === 'parked') break;
      nowMs = Date.parse(next.nextAttemptAt);
      rounds += 1;
    }
    expect(rounds).toBe(77);
  });
});

interface Uncertain {
  identifier: string;
  quantity: string;
}

/** Every subset that adds up to what Stripe has beyond the delivered: does it hold the asked one? */
function bruteForce(asked: string, extra: bigint, uncertain: readonly Uncertain[]): Verdict[] {
  const verdicts: Verdict[] = [];
  for (let mask = 0; mask < 2 ** uncertain.length; mask += 1) {
    const subset = uncertain.filter((_, position) => ((mask >> position) & 1) === 1);
    const sum = subset.reduce((total, { quantity }) => total + BigInt(quantity), 0n);
    if (sum !== extra) continue;
    verdicts.push(subset.some(({ identifier }) => identifier === asked) ? 'arrived' : 'absent');
  }
  return verdicts;
}

// Zero usage is never sent (FM9), so what is uncertain is at least one byte.
const minutes = fc
  .array(fc.bigInt({ min: 1n, max: 6n }), { minLength: 1, maxLength: 6 })
  .chain((quantities) =>
    fc.record({
      uncertain: fc.constant(
        quantities.map((quantity, n) => ({ identifier: `job-${n}`, quantity: String(quantity) })),
      ),
      arrived: fc.subarray(quantities),
      drift: fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, fc.bigInt({ min: -3n, max: 3n })),
      delivered: fc.bigInt({ min: 0n, max: 2n ** 70n }),
    }),
  );

describe('DL2 I3 reconciling an old attempt with Stripe’s sums', () => {
  test.each<[string, string, string, Uncertain[], Verdict]>([
    ['nothing extra', '10', '10', [{ identifier: 'a', quantity: '5' }], 'absent'],
    ['exactly it', '15', '10', [{ identifier: 'a', quantity: '5' }], 'arrived'],
    ['part of it', '12', '10', [{ identifier: 'a', quantity: '5' }], 'unclear'],
    ['more than it', '20', '10', [{ identifier: 'a', quantity: '5' }], 'unclear'],
    ['less than delivered', '4', '10', [{ identifier: 'a', quantity: '5' }], 'unclear'],
    ['not among the uncertain', '15', '10', [{ identifier: 'b', quantity: '5' }], 'unclear'],
    ['beyond 2^53', '9007199254740993', '9007199254740992', [], 'unclear'],
    [
      'one byte beyond 2^53',
      '9007199254740993',
      '9007199254740992',
      [{ identifier: 'a', quantity: '1' }],
      'arrived',
    ],
    [
      'twins, one arrived',
      '5',
      '0',
      [
        { identifier: 'a', quantity: '5' },
        { identifier: 'b', quantity: '5' },
      ],
      'unclear',
    ],
  ])('DL2 %s', (_name, stripeTotal, deliveredTotal, uncertain, verdict) => {
    expect(reconcile('a', { stripeTotal, deliveredTotal, uncertain })).toBe(verdict);
  });

  test('DL2 never says more than every subset that fits says (brute force)', () => {
    const seen = new Map<Verdict, number>();
    fc.assert(
      fc.property(minutes, ({ uncertain, arrived, drift, delivered }) => {
        const extra = arrived.reduce((sum, quantity) => sum + quantity, 0n) + drift;
        const verdict = reconcile('job-0', {
          stripeTotal: String(delivered + extra),
          deliveredTotal: String(delivered),
          uncertain,
        });
        seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
        const possible = new Set(bruteForce('job-0', extra, uncertain));
        const all = uncertain.reduce((sum, { quantity }) => sum + BigInt(quantity), 0n);
        const plain = extra === 0n ? 'absent' : extra === all ? 'arrived' : 'unclear';
        expect(verdict).toBe(plain);
        expect(verdict === 'unclear' || (possible.size === 1 && possible.has(verdict))).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect([...seen.keys()].toSorted()).toStrictEqual(['absent', 'arrived', 'unclear']);
  });
});

describe('DL2 the minute that Stripe is asked for', () => {
  test.each([
    ['2026-11-21T12:34:00.000Z', '2026-11-21T12:34:00.000Z'],
    ['2026-11-21T12:34:59.999Z', '2026-11-21T12:34:00.000Z'],
    ['2026-11-21T23:59:59.999Z', '2026-11-21T23:59:00.000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:00.000Z'],
  ])('DL2 %s', (at, start) => {
    const startSeconds = Date.parse(start) / 1000;
    expect(minuteOf(at)).toStrictEqual({ startSeconds, endSeconds: startSeconds + 60 });
  });

  test('DL2 is whole, 60 s long, and holds the moment', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        const { startSeconds, endSeconds } = minuteOf(date.toISOString());
        expect([startSeconds % 60 === 0, endSeconds - startSeconds]).toStrictEqual([true, 60]);
        expect(startSeconds * 1000 <= date.getTime()).toBe(true);
        expect(date.getTime() < endSeconds * 1000).toBe(true);
      }),
    );
  });
});
