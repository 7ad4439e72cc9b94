import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivedAndDoubtful, judgeMinute } from '../../domain/stripe-sums.ts';
import type { Judgement } from '../../domain/stripe-sums.ts';
import type { UsageRecord } from '../../domain/usage.ts';
import { iso, noonMs, usageRecord } from './support.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const nowMs = noonMs + 3 * day;

/** In doubt since a day and an hour; its last call was `agoMs` ago. */
const doubtful = (identifier: string, quantity: string, agoMs = 25 * hour): UsageRecord =>
  usageRecord({
    identifier,
    quantity,
    state: 'sending',
    attempts: 3,
    doubtSince: iso(nowMs - 25 * hour),
    lastAttemptAt: iso(nowMs - agoMs),
  });
const delivered = (identifier: string, quantity: string, agoMs = 25 * hour): UsageRecord =>
  usageRecord({
    identifier,
    quantity,
    state: 'delivered',
    attempts: 1,
    lastAttemptAt: iso(nowMs - agoMs),
    deliveredAt: iso(nowMs - agoMs),
  });
const judge = (stripeTotal: string | undefined, ...records: UsageRecord[]): Judgement =>
  judgeMinute({ stripeTotal, records }, nowMs);

describe('DL14 what is in doubt, by Stripe’s sums', () => {
  test.each<[string, string, UsageRecord[], Judgement['verdict']]>([
    ['nothing there', '0', [doubtful('a', '5')], 'absent'],
    ['nothing beside the delivered', '10', [doubtful('a', '5'), delivered('b', '10')], 'absent'],
    ['exactly it', '15', [doubtful('a', '5'), delivered('b', '10')], 'arrived'],
    ['all of them', '12', [doubtful('a', '5'), doubtful('b', '7')], 'arrived'],
    ['none of them', '0', [doubtful('a', '5'), doubtful('b', '7')], 'absent'],
    ['one of twins', '5', [doubtful('a', '5'), doubtful('b', '5')], 'unclear'],
    ['a part of it', '2', [doubtful('a', '5')], 'unclear'],
    ['more than it', '9', [doubtful('a', '5')], 'unclear'],
    ['less than the delivered', '4', [doubtful('a', '5'), delivered('b', '10')], 'unclear'],
    [
      'beyond 2^53',
      '9007199254740993',
      [doubtful('a', '1'), delivered('b', '9007199254740992')],
      'arrived',
    ],
  ])('DL2 %s', (_name, total, records, verdict) => {
    expect(judge(total, ...records).verdict).toBe(verdict);
  });

  test.each<[string, UsageRecord]>([
    ['delivered', delivered('b', '5', minute)],
    ['tried', doubtful('b', '5', minute)],
  ])('DL14 the sums prove nothing while another of the minute was %s a minute ago', (_n, other) => {
    const askAgainAtMs = nowMs + 59 * minute;
    for (const total of ['0', '5', '10', '3']) {
      expect(judge(total, doubtful('a', '5'), other)).toStrictEqual({
        verdict: 'not-yet',
        askAgainAtMs,
      });
    }
  });

  test('DL14 the record’s own last call counts as well, to the millisecond', () => {
    expect(judge('0', doubtful('a', '5', hour - 1))).toStrictEqual({
      verdict: 'not-yet',
      askAgainAtMs: nowMs + 1,
    });
    expect(judge('0', doubtful('a', '5', hour))).toStrictEqual({ verdict: 'absent' });
  });

  test.each<[string, string | undefined, UsageRecord[]]>([
    [
      'what must be there is not visible',
      '0',
      [doubtful('a', '5', 30 * hour), delivered('b', '5', 2 * hour)],
    ],
    ['a part is visible', '5', [doubtful('a', '5', 2 * hour), doubtful('b', '5', 2 * hour)]],
    ['the number is not exact', undefined, [doubtful('a', '5', 2 * hour)]],
  ])('DL14 %s: asked again in an hour, and for a day', (_name, total, records) => {
    const askAgainAtMs = nowMs + hour;
    expect(judge(total, ...records)).toStrictEqual({ verdict: 'not-yet', askAgainAtMs });
    const almostMs = nowMs + 22 * hour - 1;
    expect(judgeMinute({ stripeTotal: total, records }, almostMs)).toStrictEqual({
      verdict: 'not-yet',
      askAgainAtMs: nowMs + 22 * hour,
    });
    expect(judgeMinute({ stripeTotal: total, records }, nowMs + 22 * hour).verdict).toBe('unclear');
  });

  test('DL14 I3 whatever arrived and however the sums lag, a settled minute is never judged wrong', () => {
    const events = fc.array(
      fc.record({
        quantity: fc.integer({ min: 1, max: 5 }),
        state: fc.constantFrom('arrived in doubt', 'absent in doubt', 'delivered'),
        agoMs: fc.integer({ min: 0, max: 3 * day }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: hour }), (given, lagMs) => {
        const records = given.map(({ quantity, state, agoMs }, n) =>
          (state === 'delivered' ? delivered : doubtful)(`job-${n}`, String(quantity), agoMs),
        );
        const visible = given.filter(
          ({ state, agoMs }) => state !== 'absent in doubt' && agoMs >= lagMs,
        );
        const total = visible.reduce((sum, { quantity }) => sum + quantity, 0);
        const { verdict } = judge(String(total), ...records);
        seen.add(verdict);
        const inDoubt = given.filter(({ state }) => state !== 'delivered');
        const right = {
          arrived: inDoubt.every(({ state }) => state === 'arrived in doubt'),
          absent: inDoubt.every(({ state }) => state === 'absent in doubt'),
          unclear: true,
          'not-yet': true,
        };
        expect(right[verdict]).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect([...seen].toSorted()).toStrictEqual(['absent', 'arrived', 'not-yet', 'unclear']);
  });
});

describe('DL7 what is known of a record’s meter events', () => {
  const large = { identifier: 'job', quantity: '2000000000000000' };
  const doubtSince = iso(noonMs);
  test.each<[Partial<UsageRecord>, bigint, bigint]>([
    [{ ...large }, 0n, 0n],
    [{ ...large, doubtSince }, 0n, 999999999999999n],
    [{ ...large, doubtSince, arrived: [1] }, 999999999999999n, 999999999999999n],
    [{ ...large, doubtSince, arrived: [1, 2] }, 1999999999999998n, 2n],
    [{ ...large, arrived: [1, 3] }, 1000000000000001n, 0n],
    [{ ...large, doubtSince, arrived: [2, 3] }, 1000000000000001n, 999999999999999n],
    [{ ...large, state: 'delivered' }, 2000000000000000n, 0n],
    [{ quantity: '7', doubtSince }, 0n, 7n],
    [{ quantity: '7', doubtSince, state: 'rejected' }, 0n, 7n],
    [{ quantity: '7', attempts: 1 }, 0n, 0n],
  ])('DL7 %o: arrived %s, perhaps %s', (facts, arrived, perhaps) => {
    expect(arrivedAndDoubtful(usageRecord(facts))).toEqual({ arrived, doubtful: perhaps });
  });
});
