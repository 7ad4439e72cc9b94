import { describe, expect, test } from 'vitest';
import { useDynamodb } from '../tables/support.ts';
import { createApi } from './api-server.ts';
import { adminToken } from './dead-letters-support.ts';

const database = useDynamodb();
const november = () => new Date('2026-11-21T10:00:00.000Z');

async function setUp() {
  const api = await createApi(await database.newStore(), { now: november });
  const [one, two] = [await api.customer('cus_1'), await api.customer('cus_2')];
  return { ...api, one, two };
}

describe('GA6 the door: who shows nothing that we know is answered 401', () => {
  const routes = async () => {
    const { document } = await createApi(await database.newStore());
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { 'x-who': who }]) => ({ method, path, who })),
    );
  };

  test('GA6 every route is on the short public list, or answers 401', async () => {
    const { app } = await createApi(await database.newStore());
    const open: string[] = [];
    for (const { method, path, who } of await routes()) {
      const address = path.replaceAll(/\{\w+\}/g, 'some');
      const answer = await app.request(address, { method: method.toUpperCase() });
      const guarded = /customers|operators/.test(who);
      if (answer.status !== 401 || !guarded) open.push(`${method} ${path} ${answer.status}`);
    }
    expect(open.toSorted()).toEqual([
      'get / 200',
      'get /docs 200',
      'get /docs/try 200',
      'get /docs/try/start.js 200',
      'get /docs/try/swagger-ui-bundle.js 200',
      'get /docs/try/swagger-ui.css 200',
      'get /healthz 200',
      'get /metrics 200',
      'get /openapi.json 200',
      'get /readyz 200',
      // Signed, and not configured here.
      'post /webhooks/eventbridge 503',
      'post /webhooks/stripe 503',
    ]);
  });

  test.each([
    '//v1/keys',
    '/v1//keys',
    '/v1/keys/',
    '/v1/keys%2f',
    '/v1%2fkeys',
    '/%76%31/keys',
    '/V1/KEYS',
    '/v1/keys.',
    '/v1/keys..',
    '/v1/./keys',
    '/v1/x/../keys',
    '/v1/keys;x=1',
    '/v1/keys%00',
    '/v1/keys?customerId=cus_1',
    '/metrics/../v1/keys?customerId=cus_1',
    '/v1/keys#x',
  ])('GA6 %s is nobody’s way in', async (path) => {
    const { app } = await createApi(await database.newStore());
    expect([401, 404]).toContain((await app.request(`http://localhost${path}`)).status);
  });

  test('GA6 nothing but a key in force or the admin token opens', async () => {
    const { app, one } = await setUp();
    const status = async (authorization: string) =>
      (await app.request('/v1/keys', { headers: { authorization } })).status;
    const { key } = one;
    for (const wrong of [
      '',
      key,
      `Basic ${key}`,
      `Bearer ${key}x`,
      `Bearer ${key.slice(0, -1)}`,
      `Bearer ${key.toLowerCase()}`,
      `Bearer ${adminToken}x`,
      'Bearer dbk_',
      `Bearer ${key} ${key}`,
    ]) {
      expect(await status(wrong)).toBe(401);
    }
    expect(await status(`Bearer ${key}`)).toBe(200);
    expect(await status(`bearer ${key}`)).toBe(200);
  });

  test('GA6 a key that only collects usage opens no customer’s route', async () => {
    const { one, as } = await setUp();
    const { body } = await one.call('POST', '/v1/keys', { scope: 'ingest' });
    const answer = await as(String(body['key']))('GET', '/v1/budgets');
    expect([answer.status, answer.body['error']]).toEqual([403, 'forbidden']);
  });

  test('GA5 a key verified in the last ten minutes is honoured while the table is away, and then only', async () => {
    const clock = { now: november() };
    const now = () => clock.now;
    const store = await database.newStore();
    const api = await createApi(store, { now });
    const { key, call } = await api.customer('cus_1');
    const stranger = (await api.customer('cus_2')).key;
    expect((await call('GET', '/v1/keys')).status).toBe(200);
    let isAway = true;
    const { apiKeys } = api.tables;
    const find: typeof apiKeys.find = async (hash) => {
      if (isAway) throw new Error('the table is away');
      return await apiKeys.find(hash);
    };
    const door = { ...api.doorOptions, apiKeys: { ...apiKeys, find } };
    const away = await createApi(store, { now, door });
    const status = async (secret: string) => (await away.as(secret)('GET', '/v1/budgets')).status;
    expect(await status(stranger)).toBe(503);
    expect(await status(key)).toBe(404);
    clock.now = new Date(clock.now.getTime() + 10 * 60_000);
    expect(await status(key)).toBe(404);
    clock.now = new Date(clock.now.getTime() + 1);
    expect(await status(key)).toBe(503);
    isAway = false;
    expect(await status(key)).toBe(404);
    await api.tables.apiKeys.remove(api.hashOf(key));
    expect(await status(key)).toBe(401);
    // Deleted while it was remembered: no outage lets it in again.
    isAway = true;
    expect(await status(key)).toBe(503);
  });
});

describe('/v1/keys', () => {
  test('GA6 made by an operator, shown once, listed by prefix, and gone at once', async () => {
    const { operator, one, as } = await setUp();
    const order = { customerId: 'cus_1', name: 'production' };
    const made = await operator('POST', '/v1/keys', order);
    expect(made.status).toBe(201);
    const { key, ...told } = made.body;
    const mine = as(String(key));
    const list = await one.call('GET', '/v1/keys');
    // Made in the same moment: which of the two comes first is not said.
    expect(list.body['keys']).toHaveLength(2);
    expect(list.body['keys']).toContainEqual(told);
    expect(JSON.stringify(list.body)).not.toContain(String(key).slice(12));
    expect((await mine('GET', '/v1/keys')).status).toBe(200);
    expect((await one.call('DELETE', `/v1/keys/${String(told['prefix'])}`)).status).toBe(204);
    expect((await mine('GET', '/v1/keys')).status).toBe(401);
  });

  test('GA6 another customer’s keys are not there: 404, and nothing is changed', async () => {
    const { one, two } = await setUp();
    const { prefix } = two.apiKey;
    for (const [method, path, body] of [
      ['GET', '/v1/keys?customerId=cus_2', undefined],
      ['POST', '/v1/keys', { customerId: 'cus_2' }],
      ['DELETE', `/v1/keys/${prefix}`, undefined],
      ['POST', `/v1/keys/${prefix}/rotate`, {}],
    ] as const) {
      expect((await one.call(method, path, body)).status).toBe(404);
    }
    expect((await two.call('GET', '/v1/keys')).body['keys']).toHaveLength(1);
  });

  test('rotated, both keys work for the overlap that was said', async () => {
    const { operator, one, as } = await setUp();
    const { prefix } = one.apiKey;
    const made = await one.call('POST', `/v1/keys/${prefix}/rotate`, { overlapHours: 0 });
    expect(made.status).toBe(201);
    expect(made.body['replaced']).toMatchObject({ prefix, endsAt: november().toISOString() });
    expect((await one.call('GET', '/v1/keys')).status).toBe(401);
    const next = as(String(made.body['key']));
    expect((await next('GET', '/v1/keys')).body['keys']).toHaveLength(1);
    const path = `/v1/keys/${String(made.body['prefix'])}`;
    expect((await operator('POST', `${path}/rotate`, {})).status).toBe(201);
    expect((await next('GET', '/v1/keys')).body['keys']).toHaveLength(2);
  });

  test.each([
    ['POST', '/v1/keys', 400, {}],
    ['POST', '/v1/keys', 400, { customerId: 'no' }],
    ['POST', '/v1/keys', 404, { customerId: 'cus_nobody' }],
    ['POST', '/v1/keys', 400, { customerId: 'cus_1', name: 'a\nb' }],
    ['POST', '/v1/keys', 400, { customerId: 'cus_1', scope: 'all' }],
    ['POST', '/v1/keys', 400, { customerId: 'cus_1', more: 1 }],
    ['POST', '/v1/keys', 400, '{'],
    ['POST', '/v1/keys', 413, { name: 'x'.repeat(20_000) }],
    ['GET', '/v1/keys', 400, undefined],
    ['GET', '/v1/keys?customerId=cus_1&other=1', 400, undefined],
    ['DELETE', '/v1/keys/no', 400, undefined],
    ['DELETE', '/v1/keys/dbk_00000000', 404, undefined],
    ['POST', '/v1/keys/dbk_00000000/rotate', 404, {}],
    ['POST', '/v1/keys/dbk_00000000/rotate', 400, { overlapHours: 1.5 }],
  ] as const)('%s %s is answered %i', async (method, path, status, body) => {
    const { operator } = await setUp();
    expect((await operator(method, path, body)).status).toBe(status);
  });
});

describe('/v1/budgets', () => {
  const limits = { hardLimitCents: 1000, softLimitCents: 800 };

  test('set once, shown with where the month stands, replaced, and taken away', async () => {
    const { one, two, tables } = await setUp();
    expect((await one.call('GET', '/v1/budgets')).status).toBe(404);
    const made = await one.call('POST', '/v1/budgets', limits);
    expect([made.status, made.body]).toEqual([
      201,
      {
        ...limits,
        period: 'monthly',
        month: '2026-11',
        usedCents: 0,
        reservedCents: 0,
        leftCents: 1000,
        updatedAt: november().toISOString(),
      },
    ]);
    expect((await one.call('POST', '/v1/budgets', limits)).status).toBe(409);
    const cast = { customerId: 'cus_1', period: '2026-11', reservationId: 'cast-1', cents: 300 };
    await tables.spending.reserve(cast, { at: november().toISOString(), digest: 'd' });
    const replaced = await one.call('PUT', '/v1/budgets', { hardLimitCents: 200 });
    expect([replaced.status, replaced.body]).toMatchObject([
      200,
      { hardLimitCents: 200, usedCents: 0, reservedCents: 300, leftCents: 0 },
    ]);
    expect(replaced.body['softLimitCents']).toBeUndefined();
    expect((await two.call('GET', '/v1/budgets')).status).toBe(404);
    expect((await one.call('DELETE', '/v1/budgets')).status).toBe(204);
    expect((await one.call('DELETE', '/v1/budgets')).status).toBe(404);
    expect((await two.call('PUT', '/v1/budgets', limits)).status).toBe(200);
  });

  test.each([
    {},
    { hardLimitCents: '1000' },
    { hardLimitCents: -1 },
    { hardLimitCents: 0.5 },
    { hardLimitCents: 1e20 },
    { hardLimitCents: 10, softLimitCents: 11 },
    { hardLimitCents: 10, period: 'daily' },
    { hardLimitCents: 10, customerId: 'cus_2' },
    [],
    'null',
    '{"hardLimitCents":10',
  ])('GA10 %j is refused, and nothing is set', async (body) => {
    const { one, lines } = await setUp();
    for (const method of ['POST', 'PUT']) {
      const answer = await one.call(method, '/v1/budgets', body);
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    }
    expect((await one.call('GET', '/v1/budgets')).status).toBe(404);
    expect(lines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  test('an operator has no budget of its own', async () => {
    const { operator } = await setUp();
    expect((await operator('GET', '/v1/budgets')).status).toBe(403);
  });
});
