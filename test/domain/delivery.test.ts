import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterFailedRound,
  minuteOf,
  nextStep,
  refusalBeforeSending,
} from '../../domain/delivery.ts';
import type { NextStep } from '../../domain/delivery.ts';
import type { UsageRecord } from '../../domain/usage.ts';
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

describe('DL2 DL14 what becomes of a record that is due', () => {
  const tooOld = { occurredAt: iso(noonMs - 36 * day) };
  const refusal = `timestamp ${tooOld.occurredAt} is older than the 35 days that Stripe accepts`;
  const rejected: NextStep = { step: 'lay-aside', state: 'rejected', reason: refusal };
  const parked: NextStep = { step: 'lay-aside', state: 'parked', reason: 'retries ran out' };
  const gaveUp = 'retries ran out';
  test.each<[string, Partial<UsageRecord>, number, NextStep]>([
    ['never tried', {}, 0, { step: 'send' }],
    ['tried, and known to be absent', { attempts: 4, firstAttemptAt: noon }, day, { step: 'send' }],
    ['in doubt, remembered', { doubtSince: noon }, 23 * hour - 1, { step: 'send' }],
    ['in doubt, forgotten', { doubtSince: noon }, 23 * hour, { step: 'ask' }],
    ['in doubt for long', { doubtSince: noon }, 34 * day, { step: 'ask' }],
    ['too old, never tried', tooOld, 0, rejected],
    [
      'too old, in doubt for two minutes',
      { ...tooOld, doubtSince: noon },
      2 * minute,
      { step: 'ask' },
    ],
    ['given up', { gaveUp }, 0, parked],
    ['given up, in doubt', { gaveUp, doubtSince: noon }, minute, { step: 'ask' }],
  ])('DL14 %s', (_name, facts, laterMs, step) => {
    expect(nextStep(usageRecord(facts), noonMs + laterMs)).toStrictEqual(step);
  });

  test('DL14 what may be at Stripe is never laid aside unasked, whatever its age', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 * day }),
        fc.integer({ min: 0, max: 60 * day }),
        fc.option(fc.constant(gaveUp), { nil: undefined }),
        (occurredAgoMs, doubtAgoMs, reason) => {
          const facts = {
            occurredAt: iso(noonMs - occurredAgoMs),
            doubtSince: iso(noonMs - doubtAgoMs),
            ...(reason === undefined ? {} : { gaveUp: reason }),
          };
          expect(nextStep(usageRecord(facts), noonMs).step).not.toBe('lay-aside');
        },
      ),
    );
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
  });

  test('DL14 what is in doubt is not parked: it gives up, and the sums are asked an hour later', () => {
    const record = usageRecord({ rounds: 40, firstAttemptAt: noon, doubtSince: noon });
    expect(afterFailedRound(record, noonMs + 72 * hour)).toStrictEqual({
      state: 'pending',
      nextAttemptAt: iso(noonMs + 73 * hour),
      gaveUp: true,
    });
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
