import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyStripeError } from '../../domain/stripe-problems.ts';
import type { StripeErrorFacts } from '../../domain/stripe-problems.ts';

const facts = (given: Partial<StripeErrorFacts> = {}): StripeErrorFacts => ({
  type: 'StripeAPIError',
  message: 'boom',
  ...given,
});
const kindOf = (given: Partial<StripeErrorFacts>): string => classifyStripeError(facts(given)).kind;

describe('DL3 every class of Stripe’s errors', () => {
  test.each([
    [400, 'refused'],
    [401, 'unauthorized'],
    [402, 'refused'],
    [403, 'unauthorized'],
    [404, 'refused'],
    [405, 'refused'],
    [408, 'transient'],
    [409, 'transient'],
    [410, 'refused'],
    [413, 'refused'],
    [422, 'refused'],
    [424, 'refused'],
    [429, 'transient'],
    [451, 'refused'],
    [499, 'refused'],
    [500, 'transient'],
    [501, 'transient'],
    [502, 'transient'],
    [503, 'transient'],
    [504, 'transient'],
    [599, 'transient'],
    [200, 'transient'],
    [302, 'transient'],
    [0, 'transient'],
  ])('DL3 HTTP %i is %s', (statusCode, kind) => {
    expect(kindOf({ statusCode })).toBe(kind);
  });

  test('DL3 a network error and a proxy’s HTML 502 have no status: again', () => {
    expect(
      classifyStripeError({ type: 'StripeConnectionError', message: 'socket hang up' }),
    ).toStrictEqual({ kind: 'transient', message: 'Stripe no answer: socket hang up' });
    const html = 'Invalid JSON received from the Stripe API';
    expect(classifyStripeError({ type: 'StripeAPIError', message: html })).toStrictEqual({
      kind: 'transient',
      message: `Stripe no answer: ${html}`,
    });
  });

  test('FM7 an unknown customer is refused, in words that name the code', () => {
    const error = {
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code: 'resource_missing',
      message: "No such customer: 'cus_404'",
    };
    expect(classifyStripeError(error)).toStrictEqual({
      kind: 'refused',
      message: "Stripe HTTP 400 resource_missing: No such customer: 'cus_404'",
    });
  });

  test('I10 the message that is kept is cut at 500 characters', () => {
    const problem = classifyStripeError(facts({ statusCode: 400, message: 'x'.repeat(600) }));
    expect(problem).toStrictEqual({
      kind: 'refused',
      message: `Stripe HTTP 400: ${'x'.repeat(500)}`,
    });
  });
});

describe('FM8 a duplicate identifier is success', () => {
  const words = 'An event already exists with identifier job-1.';

  test('FM8 in Stripe’s exact words, with 400 and without a code', () => {
    const error = { type: 'StripeInvalidRequestError', statusCode: 400, message: words };
    expect(classifyStripeError(error)).toStrictEqual({ kind: 'already_exists' });
  });

  test.each([
    ['other case', { statusCode: 400, message: 'an event already exists with identifier a.' }],
    ['quoted inside', { statusCode: 400, message: `Invalid identifier "${words}"` }],
    ['something else exists', { statusCode: 400, message: 'A meter already exists with it' }],
    ['another status', { statusCode: 404, message: words }],
  ])('FM8 %s is not', (_name, error) => {
    expect(kindOf(error)).toBe('refused');
  });

  test.each([[500], [409], [undefined]])('FM8 the words with status %s are an error', (status) => {
    const given = status === undefined ? {} : { statusCode: status };
    expect(kindOf({ ...given, message: words })).toBe('transient');
  });
});

describe('DL3 FM6 a key that is tied to an old answer', () => {
  const headers = { 'idempotent-replayed': 'true' };

  test.each([[500], [503], [undefined]])(
    'FM6 a saved %s that is replayed spends the key',
    (code) => {
      const status = code === undefined ? {} : { statusCode: code };
      expect(kindOf({ ...status, headers })).toBe('spent_key');
    },
  );

  test('FM6 a first 500, and a replay header of another value, do not', () => {
    expect(kindOf({ statusCode: 500, headers: {} })).toBe('transient');
    expect(kindOf({ statusCode: 500, headers: { 'idempotent-replayed': 'false' } })).toBe(
      'transient',
    );
  });

  test('FM8 a replayed duplicate is still success, a replayed refusal still a refusal', () => {
    const message = 'An event already exists with identifier a.';
    expect(kindOf({ statusCode: 400, headers, message })).toBe('already_exists');
    expect(kindOf({ statusCode: 400, headers })).toBe('refused');
  });

  test('DL3 other parameters under the same key spend it', () => {
    expect(kindOf({ type: 'StripeIdempotencyError', statusCode: 400 })).toBe('spent_key');
    expect(kindOf({ type: 'StripeIdempotencyError', statusCode: 409 })).toBe('spent_key');
  });
});

describe('DL3 Retry-After is honoured', () => {
  test.each([
    ['0', 0],
    ['1', 1000],
    ['120', 120_000],
    ['300', 300_000],
    ['301', 300_000],
    ['999999999', 300_000],
  ])('DL3 %s is %i ms, at most five minutes', (header, retryAfterMs) => {
    const error = facts({ statusCode: 429, headers: { 'retry-after': header } });
    expect(classifyStripeError(error)).toStrictEqual({
      kind: 'transient',
      message: 'Stripe HTTP 429: boom',
      retryAfterMs,
    });
  });

  test.each([
    '',
    ' ',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'NaN',
    'soon',
    '1 ',
    '9999999999',
    'Sat, 21 Nov 2026 12:00:00 GMT',
  ])('DL3 %j is passed over', (header) => {
    const error = facts({ statusCode: 503, headers: { 'retry-after': header } });
    expect(classifyStripeError(error)).toStrictEqual({
      kind: 'transient',
      message: 'Stripe HTTP 503: boom',
    });
  });

  test('DL3 no header at all makes a wait of less than nothing or more than five minutes', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 400, max: 599 }), (header, statusCode) => {
        const problem = classifyStripeError(
          facts({ statusCode, headers: { 'retry-after': header } }),
        );
        const waitMs = problem.kind === 'transient' ? (problem.retryAfterMs ?? 0) : 0;
        expect(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= 300_000).toBe(true);
      }),
    );
  });
});
