import { describe, expect, test } from 'vitest';
import { BillingError } from '../../domain/errors.ts';
import { useDynamodb } from '../tables/support.ts';
import {
  at,
  createServer,
  inProcess,
  layEventAside,
  layUsageAside,
  listen,
  openLetter,
  overSocket,
} from './dead-letters-server.ts';
import type { Call, Changes } from './dead-letters-server.ts';
import { adminToken, asAdmin } from './dead-letters-support.ts';
import { newLetter } from '../support/dead-letters.ts';

const database = useDynamodb();
const letters = '/v1/dead-letters';
const pathOf = (id: string, verb = ''): string => `${letters}/${encodeURIComponent(id)}${verb}`;

async function setUp(changes?: Changes) {
  const server = createServer(await database.newStore(), changes);
  return { ...server, call: inProcess(server.app) };
}

interface ListPage {
  deadLetters: { id: string; status: string }[];
  cursor?: string;
}

/** Ids of each page, until one says that it is the last. */
async function allPages(call: Call, query: string): Promise<string[][]> {
  const found: string[][] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await call('GET', `${letters}?${query}${more}`);
    expect(status).toBe(200);
    const page = body as ListPage;
    found.push(page.deadLetters.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** Ids as they are, and as an unfriendly upstream may make them. */
const ids = [
  ['usage-rejected', 'prc_123'],
  ['storage-day', '2026-11-20'],
  ['usage-parked', 'redrive'],
  ['usage-parked', 'a/discard'],
  ['usage-parked', '../../healthz'],
  ['usage-parked', 'a%2Fb%25 c+d?e=f#g&h;i'],
  ['usage-parked', 'é商店🙂\\'],
] as const;

describe.each<[string, (app: ReturnType<typeof createServer>['app']) => Call | Promise<Call>]>([
  ['by app.request', inProcess],
  ['over a socket', overSocket],
])('WH7 %s', (_door, open) => {
  test('an id of any characters travels as one segment: shown, discarded', async () => {
    const { app, tables } = await setUp();
    const call = await open(app);
    for (const [kind, about] of ids) {
      const { id } = newLetter(kind, about);
      expect(await call('GET', pathOf(id))).toMatchObject({ status: 404 });
      await openLetter(tables, kind, about);
      const shown = await call('GET', pathOf(id));
      expect(shown).toMatchObject({ status: 200, body: await tables.deadLetters.get(id) });
      if (kind !== 'storage-day') continue;
      const discarded = await call('POST', pathOf(id, '/discard'), { reason: ' a test ' });
      expect(discarded).toMatchObject({
        status: 200,
        body: { id, status: 'discarded', discardReason: 'a test' },
      });
      expect(discarded.body).toEqual(await tables.deadLetters.get(id));
    }
  });

  test('all pages are reached by the cursor, the oldest first', async () => {
    const { app, tables } = await setUp();
    const call = await open(app);
    const made: string[] = [];
    for (const [second, [kind, about]] of ids.entries()) {
      made.push(await openLetter(tables, kind, about, second));
    }
    expect(await allPages(call, 'limit=3')).toEqual([
      made.slice(0, 3),
      made.slice(3, 6),
      made.slice(6),
    ]);
    expect(await allPages(call, '')).toEqual([made]);
    expect(await allPages(call, 'kind=storage-day&limit=1')).toEqual([[made[1]]]);
  });

  test('slashes that are not encoded are told how to be', async () => {
    const { app, tables } = await setUp();
    const call = await open(app);
    await openLetter(tables, 'usage-parked', 'x');
    for (const [method, path] of [
      ['GET', `${letters}/usage-parked/x`],
      ['POST', `${letters}/usage-parked/x/redrive`],
      ['POST', `${letters}//redrive`],
      ['DELETE', pathOf('usage-parked/x')],
    ] as const) {
      const { status, body } = await call(method, path);
      expect([path, status, body]).toEqual([
        path,
        404,
        { error: 'not_found', message: expect.stringContaining('%2F') as unknown },
      ]);
    }
  });
});

describe('WH7 the list', () => {
  test('open ones unless another status is asked for', async () => {
    const { call, tables } = await setUp();
    const [one, two, three] = await Promise.all(
      ['1', '2', '3'].map(async (n) => await openLetter(tables, 'usage-parked', n, Number(n))),
    );
    await tables.deadLetters.close(one ?? '', { status: 'redriven' }, at(5));
    await tables.deadLetters.close(two ?? '', { status: 'discarded', reason: 'x' }, at(5));
    expect(await allPages(call, '')).toEqual([[three]]);
    expect(await allPages(call, 'status=open')).toEqual([[three]]);
    expect(await allPages(call, 'status=redriven')).toEqual([[one]]);
    expect(await allPages(call, 'status=discarded')).toEqual([[two]]);
    expect(await allPages(call, 'status=all')).toEqual([[one, two, three]]);
  });

  test.each([
    'kind=other',
    'kind=',
    'status=closed',
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=x',
    'limit=1&limit=2',
    'cursor=',
    'cursor=abc',
    'cursor=..',
    'other=1',
  ])('?%s is refused with the field’s name', async (query) => {
    const { call } = await setUp();
    const field = query.startsWith('other') ? 'the query' : (query.split('=')[0] ?? '');
    expect(await call('GET', `${letters}?${query}`)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', message: expect.stringMatching(`^${field}: `) as unknown },
    });
  });

  test('a cursor that was cut, changed, or made for another list is refused', async () => {
    const { call, tables } = await setUp();
    for (const n of ['1', '2', '3']) await openLetter(tables, 'usage-parked', n);
    const { body } = await call('GET', `${letters}?limit=1`);
    const { cursor = '' } = body as ListPage;
    const flipped = cursor.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const [query, wrong] of [
      ['', cursor.slice(0, -1)],
      ['', cursor.slice(1)],
      ['', flipped],
      ['', `${cursor}.x`],
      ['kind=usage-parked&', cursor],
      ['status=all&', cursor],
    ]) {
      const answer = await call('GET', `${letters}?${query}cursor=${wrong}`);
      expect([query, wrong, answer.status]).toEqual([query, wrong, 400]);
    }
    expect(await call('POST', `${letters}/redrive`, { cursor })).toMatchObject({ status: 400 });
    expect((await call('GET', `${letters}?cursor=${cursor}`)).status).toBe(200);
  });
});

describe('WH7 only for who has the token', () => {
  const requests: [method: string, path: string, body?: string][] = [
    ['GET', letters],
    ['GET', pathOf('usage-rejected/use1')],
    ['POST', pathOf('usage-rejected/use1', '/redrive')],
    ['POST', pathOf('usage-rejected/use1', '/discard'), '{"reason":"x"}'],
    ['POST', `${letters}/redrive`, '{}'],
    ['PUT', `${letters}/other`],
  ];
  const headers = { 'Content-Type': 'application/json' };

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${adminToken.slice(0, -1)}`,
    `Bearer ${adminToken}x`,
    `Bearer ${adminToken.toUpperCase()}`,
    adminToken,
    `Basic ${adminToken}`,
  ])('Authorization: %s is refused, and nothing is changed', async (authorization) => {
    const { app, tables, announced, lines } = await setUp();
    const id = await layUsageAside(tables, 'use1');
    const before = [await tables.deadLetters.get(id), await tables.ledger.get('use1')];
    for (const [method, path, body = null] of requests) {
      const own = authorization === undefined ? headers : { ...headers, authorization };
      const answer = await app.request(path, { method, headers: own, body });
      expect([path, answer.status, answer.headers.get('WWW-Authenticate')]).toEqual([
        path,
        401,
        'Bearer',
      ]);
      expect(await answer.json()).toEqual({
        error: 'unauthorized',
        message: 'the admin token is missing or wrong',
      });
    }
    expect([await tables.deadLetters.get(id), await tables.ledger.get('use1')]).toEqual(before);
    expect([announced, lines]).toEqual([[], []]);
  });

  test('where no token is set nobody gets in', async () => {
    const { app, tables } = await setUp({ adminToken: undefined });
    const id = await openLetter(tables, 'usage-parked', 'x');
    for (const [method, path, body = null] of requests) {
      for (const authorization of ['Bearer undefined', 'Bearer ', asAdmin.authorization]) {
        const answer = await app.request(path, {
          method,
          body,
          headers: { ...headers, authorization },
        });
        expect([path, answer.status, await answer.json()]).toEqual([
          path,
          503,
          { error: 'billing_disabled', message: 'no ADMIN_TOKEN is set' },
        ]);
      }
    }
    expect((await tables.deadLetters.get(id))?.status).toBe('open');
  });

  test('the scheme’s case does not matter, and answers are kept by nobody', async () => {
    const { app } = await setUp();
    const answer = await app.request(letters, {
      headers: { authorization: `bearer ${adminToken}` },
    });
    expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
  });
});

describe('WH7 discard', () => {
  test('twice: closed with its reason, then a conflict; logged by its id', async () => {
    const { call, tables, announced, lines } = await setUp();
    const id = await layUsageAside(tables, 'use1');
    const first = await call('POST', pathOf(id, '/discard'), { reason: 'refunded by hand' });
    expect(first).toMatchObject({
      status: 200,
      body: { id, status: 'discarded', discardReason: 'refunded by hand' },
    });
    const second = await call('POST', pathOf(id, '/discard'), { reason: 'another' });
    expect(second).toMatchObject({ status: 409, body: { error: 'conflict' } });
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({ status: 409 });
    expect(await tables.deadLetters.get(id)).toEqual(first.body);
    expect((await tables.ledger.get('use1'))?.state).toBe('rejected');
    expect(announced).toEqual([]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        deadLetterId: id,
        msg: 'dead letter discarded',
        requestId: first.headers.get('X-Request-Id'),
      }),
    ]);
    expect(lines.join('')).not.toContain(adminToken);
  });

  test('what will be billed or was applied is not discarded', async () => {
    const { call, tables } = await setUp();
    const usage = await layUsageAside(tables, 'begun');
    const record = await tables.ledger.get('begun');
    if (record === undefined) throw new Error('the ledger lost it');
    await tables.ledger.requeue(record, at(2));
    const event = await layEventAside(tables, 'evt_applied');
    await tables.webhookEvents.settle('evt_applied', 'applied');
    const bill = await openLetter(tables, 'storage-bill', 'cus_1/2026-02');
    await tables.storageMonthly.put({
      customerId: 'cus_1',
      billingMonth: '2026-02',
      dailyUsageSum: '1000',
      totalStorageDays: 1,
      averageStorageBytes: '1000',
      averageOver: 'recorded-days',
      peakStorageBytes: '1000',
      missingDays: [],
      countedDays: ['2026-02-01'],
      billingStatus: 'billed',
      stripeMeterStatus: 'success',
      stripeMeterAmount: '1000',
      stripeMeterEventId: 'storage-cus_1-2026-02',
      calculatedAt: at(2),
    });
    for (const id of [usage, event, bill]) {
      const answer = await call('POST', pathOf(id, '/discard'), { reason: 'no' });
      expect([id, answer.status, answer.body]).toMatchObject([id, 409, { error: 'conflict' }]);
      expect((await tables.deadLetters.get(id))?.status).toBe('open');
    }
  });

  test.each<[string, string | null, string]>([
    ['no body', null, 'Malformed JSON'],
    ['no reason', '{}', 'reason: '],
    ['a reason that is no text', '{"reason":1}', 'reason: '],
    ['an empty one', '{"reason":" "}', 'the reason must be 1 to 500 characters on one line'],
    ['two lines', '{"reason":"a\\nb"}', 'the reason must be'],
    ['501 characters', `{"reason":"${'x'.repeat(501)}"}`, 'the reason must be'],
    ['a field too many', '{"reason":"x","status":"open"}', 'the body: '],
    ['no object', '["x"]', 'the body: '],
    ['no JSON', '{"reason":', 'Malformed JSON'],
  ])('%s is refused', async (_what, body, said) => {
    const { app, tables } = await setUp();
    const id = await openLetter(tables, 'usage-parked', 'x');
    const headers = { ...asAdmin, 'Content-Type': 'application/json' };
    const answer = await app.request(pathOf(id, '/discard'), { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', message: expect.stringMatching(`^${said}`) as unknown },
    ]);
    expect((await tables.deadLetters.get(id))?.status).toBe('open');
  });

  test('a body of another type is refused, and one that is too large is not read', async () => {
    const { app, tables } = await setUp();
    const id = await openLetter(tables, 'storage-day', '2026-11-20');
    const address = `${await listen(app)}${pathOf(id, '/discard')}`;
    const post = async (type: string, body: string | ReadableStream) => {
      const headers = { ...asAdmin, 'Content-Type': type };
      return await fetch(address, { method: 'POST', headers, body, duplex: 'half' });
    };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      const answer = await post(type, 'reason=x');
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { error: 'invalid_request', message: 'the body must be sent as application/json' },
      ]);
    }
    const huge = JSON.stringify({ reason: 'x'.repeat(17_000) });
    const chunked = new Blob([huge]).stream();
    for (const body of [huge, chunked]) {
      expect((await post('application/json', body)).status).toBe(413);
    }
    expect((await tables.deadLetters.get(id))?.status).toBe('open');
    const small = new Blob(['{"reason":"in chunks"}']).stream();
    expect((await post('application/json; charset=utf-8', small)).status).toBe(200);
    expect((await tables.deadLetters.get(id))?.discardReason).toBe('in chunks');
  });
});

describe('WH7 redrive', () => {
  test('usage goes back once; again says so; the log names it', async () => {
    const { call, tables, announced, lines } = await setUp();
    const id = await layUsageAside(tables, 'use1');
    const done = { id, identifier: 'use1', state: 'pending' };
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({
      status: 200,
      body: { ...done, outcome: 'redriven' },
    });
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({
      status: 200,
      body: { ...done, outcome: 'already-redriven' },
    });
    expect(announced).toEqual(['use1']);
    expect((await tables.deadLetters.get(id))?.status).toBe('redriven');
    const discarded = await call('POST', pathOf(id, '/discard'), { reason: 'late' });
    expect(discarded).toMatchObject({ status: 409 });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { deadLetterId: id, outcome: 'redriven', msg: 'dead letter redriven' },
      { deadLetterId: id, outcome: 'already-redriven' },
    ]);
    expect(lines.join('')).not.toContain(adminToken);
  });

  test('an event that is tried still is 202 and stays open; once applied it is 200', async () => {
    const { call, tables } = await setUp({
      connected: { announceEvent: async () => await Promise.resolve() },
    });
    const id = await layEventAside(tables, 'evt_slow');
    const body = { id, eventId: 'evt_slow' };
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({
      status: 202,
      body: { ...body, outcome: 'started', state: 'dead' },
    });
    expect((await tables.deadLetters.get(id))?.status).toBe('open');
    await tables.webhookEvents.settle('evt_slow', 'applied');
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({
      status: 200,
      body: { ...body, outcome: 'redriven', state: 'applied' },
    });
  });

  test('a day is begun and not waited for; once it has its row its letter is closed', async () => {
    const { call, tables, announced } = await setUp();
    const id = await openLetter(tables, 'storage-day', '2026-11-20');
    const body = { id, customerId: 'cus_1', period: '2026-11-20' };
    expect(await call('POST', pathOf(id, '/redrive'))).toMatchObject({
      status: 202,
      body: { ...body, outcome: 'started', state: 'missing' },
    });
    expect(announced).toEqual(['cus_1/2026-11-20']);
  });

  test('Temporal away: 503, nothing is changed, and the log says why', async () => {
    const cause = new Error('14 UNAVAILABLE: connect ECONNREFUSED');
    const ask = async () => await Promise.reject(new BillingError('unavailable', 'x', { cause }));
    const { call, tables, lines } = await setUp({ ask });
    const id = await layUsageAside(tables, 'use1');
    const before = await tables.ledger.get('use1');
    for (const path of [pathOf(id, '/redrive'), `${letters}/redrive`]) {
      expect(await call('POST', path)).toMatchObject({
        status: 503,
        body: { error: 'unavailable', message: 'x' },
      });
    }
    expect(await tables.ledger.get('use1')).toEqual(before);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: 50, code: 'unavailable', err: { message: cause.message } },
      { level: 50, code: 'unavailable', err: { message: cause.message } },
    ]);
  });
});

describe('WH7 redrive all', () => {
  interface Redriven {
    redriven: { id: string; outcome: string }[];
    failures: { id: string; error: string; message: string }[];
    cursor?: string;
  }

  test('every open one once, the oldest first; one that fails does not keep the others', async () => {
    const { call, tables, announced, lines } = await setUp();
    const [first, event, last] = [
      await layUsageAside(tables, 'use1', 1),
      await layEventAside(tables, 'evt_1', 2),
      await layUsageAside(tables, 'use2', 4),
    ];
    const broken = await openLetter(tables, 'usage-parked', 'no-record', 3);
    await tables.deadLetters.close(
      await openLetter(tables, 'usage-parked', 'discarded', 3),
      { status: 'discarded', reason: 'x' },
      at(5),
    );
    const { status, body } = await call('POST', `${letters}/redrive`);
    expect([status, body]).toEqual([
      200,
      {
        redriven: [
          { id: first, identifier: 'use1', outcome: 'redriven', state: 'pending' },
          { id: event, eventId: 'evt_1', outcome: 'redriven', state: 'applied' },
          { id: last, identifier: 'use2', outcome: 'redriven', state: 'pending' },
        ],
        failures: [
          {
            id: broken,
            error: 'conflict',
            message: 'the ledger has no usage record no-record',
          },
        ],
      },
    ]);
    expect(announced.toSorted()).toEqual(['evt_1', 'use1', 'use2']);
    expect(lines.map((line) => JSON.parse(line) as { deadLetterId: string })).toMatchObject(
      [first, event, last].map((deadLetterId) => ({ deadLetterId, outcome: 'redriven' })),
    );
    const again = await call('POST', `${letters}/redrive`, {});
    expect(again.body).toMatchObject({ redriven: [], failures: [{ id: broken }] });
    expect(announced).toHaveLength(3);
  });

  test('of a kind only', async () => {
    const { call, tables } = await setUp();
    const usage = await layUsageAside(tables, 'use1');
    const event = await layEventAside(tables, 'evt_1');
    const { body } = await call('POST', `${letters}/redrive`, { kind: 'webhook-event' });
    expect(body).toMatchObject({ redriven: [{ id: event }], failures: [] });
    expect((await tables.deadLetters.get(usage))?.status).toBe('open');
  });

  test('a failure of ours is logged with the id, and nothing of the inside is told', async () => {
    const announce = async () => await Promise.reject(new TypeError('10.0.0.7 is away'));
    const { call, tables, lines } = await setUp({ connected: { announce } });
    const id = await layUsageAside(tables, 'use1');
    const { status, body } = await call('POST', `${letters}/redrive`);
    const message = 'something went wrong on our side';
    expect([status, body]).toEqual([
      200,
      { redriven: [], failures: [{ id, error: 'internal', message }] },
    ]);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { deadLetterId: id, level: 50, err: { message: '10.0.0.7 is away' } },
    ]);
  });

  /** Calls until there is no more; each answer by how many it redrove. */
  async function untilDone(call: Call): Promise<Redriven[]> {
    const answers: Redriven[] = [];
    let cursor: string | undefined;
    do {
      const order = cursor === undefined ? {} : { cursor };
      const { status, body } = await call('POST', `${letters}/redrive`, order);
      expect(status).toBe(200);
      answers.push(body as Redriven);
      cursor = (body as Redriven).cursor;
    } while (cursor !== undefined);
    return answers;
  }

  test('a hundred a call; the cursor goes on, past those that fail', async () => {
    const { call, tables, announced } = await setUp();
    const made: string[] = [];
    for (let n = 0; n < 103; n += 1) {
      made.push(
        n < 5
          ? await openLetter(tables, 'usage-parked', `no-record-${n}`, n)
          : await layUsageAside(tables, `use-${n}`, n),
      );
    }
    const answers = await untilDone(call);
    expect(answers.map(({ redriven, failures }) => [redriven.length, failures.length])).toEqual([
      [95, 5],
      [3, 0],
    ]);
    const redriven = answers.flatMap(({ redriven: some }) => some.map(({ id }) => id));
    expect(redriven).toEqual(made.slice(5));
    expect(announced).toHaveLength(98);
  });

  test('when its time is over it begins no more, and the cursor goes on behind the last', async () => {
    let clockMs = Date.parse(at(50));
    const { call, tables, announced } = await setUp({
      now: () => new Date(clockMs),
      connected: {
        announce: async ({ identifier }) => {
          await Promise.resolve(announced.push(identifier));
          clockMs += 1000;
        },
      },
    });
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) await openLetter(tables, 'usage-parked', `no-record-${n}`, n);
    for (let n = 5; n < 25; n += 1) made.push(await layUsageAside(tables, `use-${n}`, n));
    const answers = await untilDone(call);
    expect(answers.map(({ redriven, failures }) => [redriven.length, failures.length])).toEqual([
      [5, 5],
      [10, 0],
      [5, 0],
    ]);
    expect(answers.flatMap(({ redriven }) => redriven.map(({ id }) => id))).toEqual(made);
    expect(announced).toHaveLength(20);
  });
});
