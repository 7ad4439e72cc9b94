import { HTTPException } from 'hono/http-exception';
import { describe, expect, test } from 'vitest';
import { BillingError } from '../../domain/errors.ts';
import type { BillingErrorCode } from '../../domain/errors.ts';
import { createTestApp } from './support.ts';

/** As the product's page says (spec, "Errors over HTTP"). */
const statuses: Record<BillingErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  budget_exceeded: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  billing_disabled: 503,
  unavailable: 503,
};
const codes = Object.keys(statuses) as BillingErrorCode[];

/** An application in which `/breaks` fails with this. */
function breaking(error: Error) {
  const test = createTestApp();
  test.app.get('/breaks', () => {
    throw error;
  });
  return test;
}

describe('errors over HTTP', () => {
  test.each(codes)('%s has its status, its code and its message', async (code) => {
    const { app, lines } = breaking(new BillingError(code, `what to do about ${code}`));
    const answer = await app.request('/breaks');
    expect(answer.status).toBe(statuses[code]);
    expect(await answer.json()).toEqual({ error: code, message: `what to do about ${code}` });
    expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines).toEqual([]);
  });

  test('an unknown error says nothing of the inside, and is logged with the request id', async () => {
    const error = new TypeError('connect ECONNREFUSED 10.0.0.7:8000 as sk_test_inside');
    const { app, lines } = breaking(error);
    const answer = await app.request('/breaks', { headers: { 'X-Request-Id': 'req-1' } });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      error: 'internal',
      message: 'something went wrong on our side',
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        level: 50,
        name: 'server',
        requestId: 'req-1',
        route: '/breaks',
        msg: 'unexpected error',
        err: expect.objectContaining({
          type: 'TypeError',
          message: 'connect ECONNREFUSED 10.0.0.7:8000 as [hidden]',
        }) as unknown,
      }),
    ]);
  });

  test('I10 of an error that carries requests and answers, only type, message and stack are logged', async () => {
    const error = Object.assign(new Error('refused'), {
      raw: { headers: { authorization: 'Bearer secret-1' } },
      config: { auth: { password: 'secret-2' } },
      request: { body: 'card=secret-3' },
    });
    const { app, lines } = breaking(error);
    await app.request('/breaks');
    const [line = '{}'] = lines;
    expect(line).not.toMatch(/secret-/);
    const { err } = JSON.parse(line) as { err: object };
    expect(Object.keys(err)).toEqual(['type', 'message', 'stack']);
  });

  test.each(['unavailable', 'billing_disabled'] as const)(
    'why it is %s is logged, with the causes, and not told',
    async (code) => {
      const inner = Object.assign(new Error('14 UNAVAILABLE: connect ECONNREFUSED 10.0.0.7'), {
        metadata: 'secret-1',
      });
      const cause = new TypeError('Failed to start Workflow', { cause: inner });
      const { app, lines } = breaking(new BillingError(code, 'try again', { cause }));
      const answer = await app.request('/breaks', { headers: { 'X-Request-Id': 'req-2' } });
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { error: code, message: 'try again' },
      ]);
      const text = expect.any(String) as unknown;
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({
          level: 50,
          requestId: 'req-2',
          route: '/breaks',
          code,
          msg: 'try again',
          err: {
            type: 'TypeError',
            message: cause.message,
            stack: text,
            cause: { type: 'Error', message: inner.message, stack: text },
          },
        }),
      ]);
    },
  );

  test('why a caller’s own mistake is refused is not logged', async () => {
    const cause = new Error('inside');
    const { app, lines } = breaking(new BillingError('conflict', 'it is closed', { cause }));
    expect((await app.request('/breaks')).status).toBe(409);
    expect(lines).toEqual([]);
  });

  test('an error that is its own cause is logged all the same', async () => {
    const cause = new Error('round');
    cause.cause = cause;
    const { app, lines } = breaking(new BillingError('unavailable', 'try again', { cause }));
    expect((await app.request('/breaks')).status).toBe(503);
    expect(lines).toHaveLength(1);
  });

  test.each([
    [400, 400, 'invalid_request', 'Malformed JSON in request body'],
    [413, 413, 'too_large', 'the body is too large'],
    [415, 400, 'invalid_request', 'the body must be sent as application/json'],
    [418, 400, 'invalid_request', 'Malformed JSON in request body'],
    [500, 500, 'internal', 'something went wrong on our side'],
  ] as const)(
    'the library’s own %i is one of our table: %i %s',
    async (own, status, error, message) => {
      const { app, lines } = breaking(
        new HTTPException(own, { message: 'Malformed JSON in request body' }),
      );
      const answer = await app.request('/breaks');
      expect([answer.status, await answer.json()]).toEqual([status, { error, message }]);
      expect(lines).toHaveLength(status === 500 ? 1 : 0);
    },
  );

  test.each(['GET', 'POST', 'PUT', 'DELETE'])('%s of an unknown address is 404', async (method) => {
    const { app, lines } = createTestApp();
    const answer = await app.request('/nothing/here', { method });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      error: 'not_found',
      message: 'there is nothing at this address',
    });
    expect(lines).toEqual([]);
  });
});

describe('X-Request-Id', () => {
  test('one is given to each request', async () => {
    const { app } = createTestApp();
    const given = await Promise.all(
      ['/healthz', '/healthz', '/nothing'].map(async (path) => {
        return (await app.request(path)).headers.get('X-Request-Id') ?? '';
      }),
    );
    expect(new Set(given).size).toBe(3);
    for (const id of given) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('the caller’s own is echoed, on errors too', async () => {
    const headers = { 'X-Request-Id': 'call-42' };
    const { app } = breaking(new Error('inside'));
    for (const path of ['/healthz', '/nothing', '/breaks']) {
      const answer = await app.request(path, { headers });
      expect([path, answer.headers.get('X-Request-Id')]).toEqual([path, 'call-42']);
    }
  });

  test.each(['a b', '<script>', 'x'.repeat(65), 'a"b', 'dbk_abc', '4242424242424242'])(
    'one that is not plain (%s) is replaced',
    async (own) => {
      const answer = await createTestApp().app.request('/healthz', {
        headers: { 'X-Request-Id': own },
      });
      expect(answer.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});
