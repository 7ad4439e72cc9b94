import { describe, expect, test } from 'vitest';
import { hasLapsed } from '../../domain/casts.ts';
import { atOnce, useDynamodb } from '../tables/support.ts';
import { createCastApi } from './cast-server.ts';
import type { CastApi } from './cast-server.ts';

const database = useDynamodb();
const period = '2026-11';
const november = () => new Date('2026-11-21T10:00:00.000Z');
const files = { files: [{ key: 'report.csv' }] };

type Changes = Parameters<typeof createCastApi>[1];

/** A customer with a budget of so many cents; a cast costs 100. */
async function setUp(hardLimitCents?: number, changes: Changes = {}) {
  const api = await createCastApi(await database.newStore(), { now: november, ...changes });
  const one = await api.customer('cus_1');
  if (hardLimitCents !== undefined) {
    await one.call('PUT', '/v1/budgets', { hardLimitCents });
  }
  const cast = async (key?: string, body: unknown = files) =>
    await one.call('POST', '/v1/cast', body, key === undefined ? {} : { 'Idempotency-Key': key });
  return { ...api, one, cast };
}

const sums = async (api: CastApi, customerId = 'cus_1') => {
  const counter = await api.counter(customerId, period);
  return counter === undefined
    ? undefined
    : [counter.usedCents, counter.reservedCents, counter.openCount];
};

describe('POST /v1/cast', () => {
  test('GA2 its cents are set aside, it is started, and it ends as what it cost', async () => {
    const api = await setUp(1000);
    const { status, body } = await api.cast();
    expect([status, body]).toEqual([
      202,
      {
        processingId: expect.stringMatching(/^cast-[0-9a-f]{32}$/) as unknown,
        status: 'in_progress',
        costCents: 100,
      },
    ]);
    const id = String(body['processingId']);
    expect(api.started.get(id)).toMatchObject({ customerId: 'cus_1', files: ['report.csv'] });
    expect(await sums(api)).toEqual([0, 100, 1]);
    const path = `/v1/casts/${id}`;
    expect((await api.one.call('GET', path)).body).toMatchObject({ status: 'in_progress' });
    await api.run(id, 5);
    expect(await sums(api)).toEqual([100, 0, 0]);
    expect((await api.one.call('GET', path)).body).toEqual({
      processingId: id,
      status: 'completed',
      costCents: 100,
      fileCount: 1,
      totalBytes: 5,
      createdAt: november().toISOString(),
      endedAt: november().toISOString(),
    });
  });

  test('GA2 a cast that fails costs nothing', async () => {
    const api = await setUp(1000);
    const id = String((await api.cast()).body['processingId']);
    const request = api.started.get(id);
    if (request === undefined) throw new Error('it was not started');
    await api.activities.beginProcessing(request);
    await api.activities.failProcessing({ ...request, error: 'no such file' });
    expect(await sums(api)).toEqual([0, 0, 0]);
    const shown = await api.one.call('GET', `/v1/casts/${id}`);
    expect(shown.body).toMatchObject({ status: 'failed', costCents: 0, error: 'no such file' });
  });

  test('GA1 a thousand at once against room for ten: ten processings, 990 refusals with the figures, twice', async () => {
    for (const _round of [1, 2]) {
      const api = await setUp(1050);
      const answers = await atOnce(1000, async () => await api.cast());
      const passed = answers.filter(({ status }) => status === 202);
      const refused = answers.filter(({ status }) => status === 402);
      expect([passed.length, refused.length, api.started.size]).toEqual([10, 990, 10]);
      for (const { body } of refused) {
        expect(body).toMatchObject({
          error: 'budget_exceeded',
          period,
          limitCents: 1050,
          usedCents: 0,
          reservedCents: 1000,
          requestedCents: 100,
        });
      }
      for (const id of api.started.keys()) await api.run(id);
      expect(await sums(api)).toEqual([1000, 0, 0]);
      expect((await api.cast()).body).toMatchObject({ usedCents: 1000, reservedCents: 0 });
    }
  }, 600_000);

  test('GA3 over both limits it is the budget that refuses; the rate limit gives its reservation back', async () => {
    const api = await setUp(300, { perMinute: 3 });
    // The door has counted the budget; two casts fill the minute.
    expect((await api.cast()).status).toBe(202);
    expect((await api.cast()).status).toBe(202);
    const limited = await api.cast();
    expect([limited.status, limited.body['error']]).toEqual([429, 'rate_limited']);
    expect(limited.headers.get('Retry-After')).toMatch(/^[1-9][0-9]?$/);
    expect(await sums(api)).toEqual([0, 200, 2]);
    await api.tables.spending.change('cus_1', { hardLimitCents: 200 });
    expect((await api.cast()).status).toBe(402);
    expect(api.started.size).toBe(2);
  });

  /** Counts what is written to a customer's counter to set cents aside and to give them back. */
  function counting() {
    const writes = { reserve: 0, leave: 0 };
    const parts: NonNullable<Changes>['parts'] = ({ spending }) => ({
      spending: {
        ...spending,
        reserve: async (...args) => {
          writes.reserve += 1;
          return await spending.reserve(...args);
        },
        leave: async (...args) => {
          writes.leave += 1;
          await spending.leave(...args);
        },
      },
    });
    return { writes, parts };
  }

  test('GA1 GA3 refused again, it writes nothing; with room again it runs at once', async () => {
    const { writes, parts } = counting();
    const api = await setUp(150, { perMinute: 2, parts });
    // The door has counted the budget; one cast fills the minute.
    const first = await api.cast('first');
    expect([first.status, (await api.cast()).status]).toEqual([202, 402]);
    expect(writes).toEqual({ reserve: 2, leave: 0 });
    const again = await atOnce(20, async () => await api.cast());
    expect(new Set(again.map(({ status, body }) => `${status} ${String(body['error'])}`))).toEqual(
      new Set(['402 budget_exceeded']),
    );
    expect(again[0]?.body).toMatchObject({ reservedCents: 100, requestedCents: 100 });
    expect(writes, 'none more').toEqual({ reserve: 2, leave: 0 });
    // What has its cents already is not refused: the key's first request may have no answer yet.
    expect(await api.cast('first')).toMatchObject({ status: 202, body: first.body });
    await api.tables.spending.change('cus_1', { hardLimitCents: 300 });
    expect((await api.cast()).status, 'room, and too often').toBe(429);
    const other = await api.customer('cus_1');
    expect((await other.call('POST', '/v1/cast', files)).status, 'another key').toBe(202);
    expect(await sums(api)).toEqual([0, 200, 2]);
  });

  test('GA3 refused again for coming too often, it writes nothing; without room it is the budget', async () => {
    const { writes, parts } = counting();
    const api = await setUp(1000, { perMinute: 2, parts });
    // The door has counted the budget; one cast fills the minute.
    const first = await api.cast('first');
    expect([first.status, (await api.cast()).status]).toEqual([202, 429]);
    expect(writes).toEqual({ reserve: 2, leave: 1 });
    const again = await atOnce(20, async () => await api.cast());
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([429]));
    expect(writes, 'none more').toEqual({ reserve: 2, leave: 1 });
    expect(await api.cast('first')).toMatchObject({ status: 202, body: first.body });
    await api.tables.spending.change('cus_1', { hardLimitCents: 150 });
    expect((await api.cast()).status).toBe(402);
    expect(await sums(api)).toEqual([0, 100, 1]);
  });

  test('no budget means no limit, and what is spent is counted', async () => {
    const api = await setUp();
    await atOnce(20, async () => await api.cast());
    expect(await sums(api)).toEqual([0, 2000, 20]);
  });

  test('GA7 the soft limit is told of once a month', async () => {
    const api = await setUp(undefined);
    await api.one.call('PUT', '/v1/budgets', { hardLimitCents: 1000, softLimitCents: 300 });
    for (let n = 0; n < 3; n += 1) await api.cast();
    expect(api.alerts).toEqual([]);
    await atOnce(5, async () => await api.cast());
    expect(api.alerts).toEqual([
      {
        kind: 'soft_limit_passed',
        customerId: 'cus_1',
        facts: expect.objectContaining({
          period,
          softLimitCents: 300,
          hardLimitCents: 1000,
        }) as unknown,
      },
    ]);
  });

  test('GA6 another customer sees nothing of it: 404', async () => {
    const api = await setUp(1000);
    const two = await api.customer('cus_2');
    const id = String((await api.cast()).body['processingId']);
    expect((await two.call('GET', `/v1/casts/${id}`)).status).toBe(404);
    await api.run(id);
    expect((await two.call('GET', `/v1/casts/${id}`)).status).toBe(404);
    expect((await two.call('GET', '/v1/casts')).body).toEqual({ casts: [] });
  });

  test('casts are listed the newest first, page by page', async () => {
    const clock = { now: november() };
    const api = await setUp(undefined, { now: () => clock.now });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      clock.now = new Date(clock.now.getTime() + 1000);
      const id = String((await api.cast()).body['processingId']);
      await api.run(id);
      ids.unshift(id);
    }
    const seen: unknown[] = [];
    let next = '/v1/casts?limit=2';
    for (let pages = 0; pages < 4 && next !== ''; pages += 1) {
      const { body } = await api.one.call('GET', next);
      seen.push(...(body['casts'] as { processingId: string }[]).map((one) => one.processingId));
      const { cursor } = body as { cursor?: string };
      next = cursor === undefined ? '' : `/v1/casts?limit=2&cursor=${cursor}`;
    }
    expect(seen).toEqual(ids);
    const foreign = await (await api.customer('cus_2')).call('GET', next || '/v1/casts?cursor=a.b');
    expect(foreign.status).toBe(400);
  });
});

describe('GA11 a repeated request that comes late', () => {
  /** The second of two with one key sets aside when the first has run and is settled. */
  async function late(leave: 'gives it back' | 'dies before it can') {
    let [reserves, goOn] = [0, (): void => undefined];
    const hasRun = new Promise<void>((resolve) => (goOn = resolve));
    const clock = { now: november() };
    const api = await setUp(1000, {
      now: () => clock.now,
      parts: ({ spending }) => ({
        spending: {
          ...spending,
          reserve: async (...args) => {
            reserves += 1;
            if (reserves === 2) await hasRun;
            return await spending.reserve(...args);
          },
          leave: async (...args) => {
            if (leave === 'gives it back') await spending.leave(...args);
          },
        },
      }),
    });
    const [first, second] = [api.cast('one'), api.cast('one')];
    const id = String((await Promise.race([first, second])).body['processingId']);
    await api.run(id);
    expect(await sums(api)).toEqual([100, 0, 0]);
    goOn();
    expect((await first).body['processingId']).toBe(id);
    expect((await second).body['processingId']).toBe(id);
    expect(api.started.size).toBe(1);
    return { api, clock };
  }

  test('GA11 gives back what it set aside: the cast ran by another reservation', async () => {
    const { api } = await late('gives it back');
    expect(await sums(api)).toEqual([100, 0, 0]);
  });

  test('GA11 dies before it does: the repair ends it, and it costs nothing', async () => {
    const { api, clock } = await late('dies before it can');
    expect(await sums(api)).toEqual([100, 100, 1]);
    clock.now = new Date(clock.now.getTime() + 10 * 60_000);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 1 });
    expect(await sums(api)).toEqual([100, 0, 0]);
  });
});

describe('GA13 Idempotency-Key', () => {
  test('GA13 repeated, it is one cast, whatever became of the first answer', async () => {
    const api = await setUp(1000);
    const answers = await atOnce(20, async () => await api.cast('one'));
    const ids = new Set(answers.map(({ body }) => body['processingId']));
    expect([ids.size, api.started.size]).toEqual([1, 1]);
    expect(await sums(api)).toEqual([0, 100, 1]);
    const [id] = [...api.started.keys()];
    await api.run(id ?? '');
    const replayed = await api.cast('one');
    expect([replayed.status, replayed.body]).toEqual([
      202,
      { processingId: id, status: 'completed', costCents: 100 },
    ]);
    expect(await sums(api)).toEqual([100, 0, 0]);
  });

  test('GA13 another customer’s same key is another cast, two keys of one customer share', async () => {
    const api = await setUp(1000);
    const two = await api.customer('cus_2');
    const headers = { 'Idempotency-Key': '1' };
    const mine = (await api.cast('1')).body['processingId'];
    expect((await two.call('POST', '/v1/cast', files, headers)).body['processingId']).not.toBe(
      mine,
    );
    const other = await api.one.call('POST', '/v1/keys', { name: 'other' });
    const call = api.as(String(other.body['key']));
    expect((await call('POST', '/v1/cast', files, headers)).body['processingId']).toBe(mine);
  });

  test('GA13 with other files it is a conflict: while it waits, runs and has ended', async () => {
    const api = await setUp(1000);
    const others = { files: [{ key: 'other.csv' }] };
    const id = String((await api.cast('1')).body['processingId']);
    expect((await api.cast('1', others)).status).toBe(409);
    const request = api.started.get(id);
    if (request !== undefined) await api.activities.beginProcessing(request);
    expect((await api.cast('1', others)).status).toBe(409);
    await api.run(id);
    expect((await api.cast('1', others)).status).toBe(409);
    expect(await sums(api)).toEqual([100, 0, 0]);
  });

  test('GA13 a refusal is not final: once there is room, or the minute is over, it runs', async () => {
    const api = await setUp(50);
    expect((await api.cast('1')).status).toBe(402);
    await api.tables.spending.change('cus_1', { hardLimitCents: 100 });
    expect((await api.cast('1')).status).toBe(202);
    const slow = await setUp(1000, { perMinute: 1 });
    expect((await slow.cast('1')).status).toBe(429);
    const roomy = await slow.customer('cus_1');
    const headers = { 'Idempotency-Key': '1' };
    expect((await roomy.call('POST', '/v1/cast', files, headers)).status).toBe(202);
  });

  test.each(['', 'x'.repeat(256), 'a\u007fb', 'a\tb'])(
    'GA13 the key %j is refused',
    async (key) => {
      const api = await setUp(1000);
      expect((await api.cast(key)).status).toBe(400);
      expect(api.started.size).toBe(0);
    },
  );
});

describe('GA11 what a crash leaves reserved is repaired', () => {
  const later = (clock: { now: Date }, seconds: number): void => {
    clock.now = new Date(clock.now.getTime() + seconds * 1000);
  };

  test('GA11 dead between reserving and starting: given back after two minutes, and the key runs anew', async () => {
    const clock = { now: november() };
    const now = () => clock.now;
    let dies = true;
    const api = await setUp(100, {
      now,
      parts: () => ({
        engine: {
          startProcessing: async (request) => {
            if (dies) throw new Error('the process was killed');
            return await Promise.resolve({ workflowId: request.processingId, started: true });
          },
          readStartedRequest: async () => await Promise.resolve(undefined),
        },
      }),
    });
    expect((await api.cast('1')).status).toBe(500);
    expect(await sums(api)).toEqual([0, 100, 1]);
    later(clock, 119);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 0 });
    later(clock, 1);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 1 });
    expect(await sums(api)).toEqual([0, 0, 0]);
    dies = false;
    expect((await api.cast('1')).status).toBe(202);
    expect(await sums(api)).toEqual([0, 100, 1]);
  });

  test('GA11 where DURABILL_CLOCK says March, it is of March, and as old as Temporal takes it to be', async () => {
    const wall = { now: november() };
    const now = () => new Date('2026-03-01T02:30:00.000Z');
    const api = await setUp(100, { now, wallClock: () => wall.now });
    const { processingId } = (await api.cast()).body;
    const { cast } = api.started.get(String(processingId)) ?? {};
    expect(cast).toMatchObject({ period: '2026-03', at: november().toISOString() });
    expect(hasLapsed(cast ?? { at: '' }, november())).toBe(false);
    api.started.clear();
    later(wall, 119);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 0 });
    later(wall, 1);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 1 });
  });

  test('GA11 one that runs is left alone, however old; ended from outside it is failed and given back', async () => {
    const clock = { now: november() };
    const api = await setUp(100, { now: () => clock.now });
    const id = String((await api.cast('1')).body['processingId']);
    const request = api.started.get(id);
    if (request === undefined) throw new Error('it was not started');
    await api.activities.beginProcessing(request);
    later(clock, 86_400);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 0 });
    // Terminated in the Temporal UI.
    api.started.delete(id);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 1 });
    expect(await sums(api)).toEqual([0, 0, 0]);
    expect(await api.tables.processings.get(id)).toMatchObject({ status: 'failed' });
  });

  test('GA2 dead between completing and settling: settled with what it cost, once', async () => {
    const clock = { now: november() };
    const api = await setUp(100, { now: () => clock.now });
    const id = String((await api.cast('1')).body['processingId']);
    const request = api.started.get(id);
    if (request === undefined) throw new Error('it was not started');
    await api.activities.beginProcessing(request);
    later(clock, 1);
    await api.tables.processings.complete(id, 5, clock.now.toISOString(), 100);
    later(clock, 120);
    expect(await api.activities.repairReservations()).toEqual({ repaired: 1 });
    expect(await api.activities.repairReservations()).toEqual({ repaired: 0 });
    expect(await sums(api)).toEqual([100, 0, 0]);
  });

  test('GA12 repeated in February, January’s cast is paid by January alone', async () => {
    const clock = { now: new Date('2026-01-31T23:59:50.000Z') };
    const api = await setUp(undefined, { now: () => clock.now });
    const id = String((await api.cast('1')).body['processingId']);
    later(clock, 20);
    expect((await api.cast('1')).body['processingId']).toBe(id);
    await api.run(id);
    later(clock, 300);
    await api.activities.repairReservations();
    const used = async (month: string) => {
      const counter = await api.counter('cus_1', month);
      return [counter?.usedCents, counter?.reservedCents];
    };
    expect([await used('2026-01'), await used('2026-02')]).toEqual([
      [100, 0],
      [0, 0],
    ]);
  });
});

describe('GA5 the tables are away', () => {
  const away = async (): Promise<never> =>
    await Promise.reject(
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    );

  test('GA5 customers with room pass up to the allowance, and each is counted and settled later', async () => {
    let isAway = false;
    const api = await setUp(350, {
      outageCasts: 10,
      parts: ({ spending, processings }) => ({
        spending: {
          ...spending,
          reserve: async (...args) => (isAway ? await away() : await spending.reserve(...args)),
        },
        processings: { get: async (id) => (isAway ? await away() : await processings.get(id)) },
      }),
    });
    const stranger = await api.customer('cus_2');
    const first = String((await api.cast()).body['processingId']);
    isAway = true;
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await api.cast(`key-${n}`)).status);
    expect(statuses).toEqual([202, 202, 503, 503]);
    expect((await stranger.call('POST', '/v1/cast', files)).status).toBe(503);
    expect((await api.cast('key-0')).status).toBe(503);
    isAway = false;
    expect(await sums(api)).toEqual([0, 100, 1]);
    for (const id of api.started.keys()) await api.run(id);
    expect(await sums(api)).toEqual([300, 0, 0]);
    expect(api.started.has(first)).toBe(true);
  });

  test('GA5 the allowance of a process ends', async () => {
    let isAway = false;
    const api = await setUp(undefined, {
      outageCasts: 3,
      parts: ({ spending }) => ({
        spending: {
          ...spending,
          reserve: async (...args) => (isAway ? await away() : await spending.reserve(...args)),
        },
      }),
    });
    await api.cast();
    isAway = true;
    const answers = await atOnce(10, async () => await api.cast());
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(7);
  });
});

describe('GA10 hostile input starts nothing', () => {
  test.each([
    ['no JSON', '{"files":'],
    ['another type', { files: 'report.csv' }],
    ['no files', { files: [] }],
    ['a name as text', { files: ['report.csv'] }],
    ['an unknown field', { ...files, customerId: 'cus_2' }],
    ['an unknown field of a file', { files: [{ key: 'a', bucket: 'b' }] }],
    ['a step up', { files: [{ key: '../cus_2/a' }] }],
    ['a step up inside', { files: [{ key: 'a/../../cus_2/a' }] }],
    ['an absolute path', { files: [{ key: '/etc/passwd' }] }],
    ['another customer’s prefix', { files: [{ key: 'service/input/cus_2/a' }] }],
    ['the output prefix', { files: [{ key: 'service/output/cus_1/a' }] }],
    ['NUL', { files: [{ key: 'a\0b' }] }],
    ['a backslash', { files: [{ key: 'a\\b' }] }],
    ['half a character', '{"files":[{"key":"\\ud800"}]}'],
    ['a folder', { files: [{ key: 'a/' }] }],
    ['twice the same', { files: [{ key: 'a' }, { key: 'a' }] }],
    ['1,001 files', { files: Array.from({ length: 1001 }, (_, n) => ({ key: `f${n}` })) }],
    ['a list', []],
    ['nothing', 'null'],
  ])('GA10 %s', async (_what, body) => {
    const api = await setUp(1000);
    const answer = await api.cast(undefined, body);
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    expect([api.started.size, await sums(api)]).toEqual([0, [0, 0, 0]]);
    expect(api.lines.filter((line) => line.includes('"level":50'))).toEqual([]);
  });

  test('GA10 ten megabytes are not read', async () => {
    const api = await setUp(1000);
    const answer = await api.cast(undefined, `{"files":[{"key":"${'x'.repeat(10_000_000)}"}]}`);
    expect([answer.status, answer.body['error']]).toEqual([413, 'too_large']);
    expect(api.started.size).toBe(0);
  });
});
