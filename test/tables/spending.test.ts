import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mostOpenReservations, noLimitCents } from '../../domain/budgets.ts';
import type { Reservation } from '../../domain/budgets.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { createSpending } from '../../tables/spending.ts';
import { at, atOnce, refusalOf, useDynamodb } from './support.ts';

const database = useDynamodb();
const period = '2026-11';

/** A store whose clock the test sets; noon of 21 November when it does not. */
async function newSpending(now: () => Date = () => new Date(at(0))) {
  const store = { ...(await database.newStore()), now };
  return createSpending(store);
}

const made = (second = 0) => ({ at: at(second), digest: 'd' });

const cast = (n: number | string, cents = 100, facts: Partial<Reservation> = {}): Reservation => ({
  customerId: 'cus_1',
  period,
  reservationId: `cast-${n}`,
  cents,
  token: 'token',
  ...facts,
});

describe('GA1 a hard budget is held by one conditional write', () => {
  test('GA1 I7 a thousand at once against room for ten: ten pass, and every refusal has the figures', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 1050 });
    const states = await atOnce(1000, async (n) => await spending.reserve(cast(n), made()));
    expect(states.filter(({ state }) => state === 'reserved')).toHaveLength(10);
    const refused = states.filter(({ state }) => state === 'refused');
    expect(refused).toHaveLength(990);
    for (const { counter } of refused) {
      expect(counter).toMatchObject({ hardLimitCents: 1050, usedCents: 0, reservedCents: 1000 });
    }
    expect(await spending.get('cus_1', period)).toMatchObject({
      usedCents: 0,
      reservedCents: 1000,
      leftCents: 50,
      openCount: 10,
    });
  });

  test('GA1 without a budget there is no limit, and what is spent is counted', async () => {
    const spending = await newSpending();
    expect((await spending.reserve(cast(1, 5000), made())).state).toBe('reserved');
    await spending.settle(cast(1, 5000), 4000);
    expect(await spending.get('cus_1', period)).toStrictEqual({
      customerId: 'cus_1',
      period,
      usedCents: 4000,
      reservedCents: 0,
      leftCents: noLimitCents - 4000,
      budgetVersion: 0,
      openCount: 0,
      open: {},
    });
  });

  test('GA1 a cast that costs nothing needs a budget that is not used up', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 100 });
    expect((await spending.reserve(cast('free', 0), made())).state).toBe('reserved');
    await spending.reserve(cast(1), made());
    expect((await spending.reserve(cast('free-2', 0), made())).state).toBe('refused');
  });

  test('GA1 one that exactly fits passes, one cent more does not', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 100 });
    expect((await spending.reserve(cast(1, 101), made())).state).toBe('refused');
    expect((await spending.reserve(cast(2, 100), made())).state).toBe('reserved');
  });

  test('more casts under way than an item may hold are crowded, not over the budget', async () => {
    const spending = await newSpending();
    await atOnce(mostOpenReservations, async (n) => await spending.reserve(cast(n, 1), made()));
    expect((await spending.reserve(cast('late', 1), made())).state).toBe('crowded');
    await spending.settle(cast(0, 1), 1);
    expect((await spending.reserve(cast('late', 1), made())).state).toBe('reserved');
  });
});

describe('GA2 reserve, then settle: each once', () => {
  test('GA2 the same reservation twice sets aside once', async () => {
    const spending = await newSpending();
    const { token: _none, ...asked } = cast(1);
    const states = await atOnce(20, async () => await spending.reserve(asked, made()));
    expect(states.map(({ state }) => state).toSorted()).toStrictEqual([
      ...Array.from({ length: 19 }, () => 'already'),
      'reserved',
    ]);
    expect(await spending.get('cus_1', period)).toMatchObject({ reservedCents: 100, openCount: 1 });
  });

  test('GA2 a write whose answer is lost is not sent again under its token: it is found, and is its maker’s', async () => {
    const client = database.newClient();
    onTestFinished(() => {
      client.destroy();
    });
    const { prefix } = await database.newStore();
    const store = createTableStore(client, prefix, () => new Date(at(0)));
    const tokens: string[] = [];
    client.middlewareStack.add(
      (next) => async (args) => {
        const { body } = args.request as { body: string };
        const token = /"token":\{"S":"([^"]+)"/.exec(body)?.[1];
        if (token !== undefined) tokens.push(token);
        const isFirst = token !== undefined && tokens.length === 1;
        const answer = await next(args);
        if (!isFirst) return answer;
        throw Object.assign(new Error('socket hang up'), {
          code: 'ECONNRESET',
          name: 'TimeoutError',
        });
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    const spending = createSpending(store);
    await spending.change('cus_1', { hardLimitCents: 1000 });
    const { token: _none, ...asked } = cast(1);
    const reserved = await spending.reserve(asked, made());
    expect(reserved).toMatchObject({ state: 'reserved', entry: { token: tokens[0] } });
    expect(new Set(tokens).size).toBe(2);
    expect(tokens).toHaveLength(2);
    expect(await spending.get('cus_1', period)).toMatchObject({ reservedCents: 100, openCount: 1 });
  });

  test('GA11 what two requests rely on is given back by the last of them', async () => {
    const spending = await newSpending();
    await spending.reserve(cast(1), made());
    expect(await spending.join(cast(1), at(30))).toBe(true);
    await spending.leave(cast(1));
    expect(await spending.get('cus_1', period)).toMatchObject({ reservedCents: 100, openCount: 1 });
    await spending.leave(cast(1));
    expect(await spending.get('cus_1', period)).toMatchObject({ reservedCents: 0, openCount: 0 });
    expect(await spending.join(cast(1), at(30))).toBe(false);
  });

  test('GA2 settled once, however often it is asked', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 1000 });
    await spending.reserve(cast(1, 900), made());
    const settled = await atOnce(10, async () => await spending.settle(cast(1, 900), 700));
    expect(settled.filter(Boolean)).toHaveLength(1);
    expect(await spending.get('cus_1', period)).toMatchObject({
      usedCents: 700,
      reservedCents: 0,
      leftCents: 300,
      openCount: 0,
      open: {},
    });
  });

  test('GA2 what was never reserved cannot be settled, nor for more than was set aside', async () => {
    const spending = await newSpending();
    await spending.reserve(cast(1), made());
    expect(await spending.settle(cast(2), 50)).toBe(false);
    await expect(spending.settle(cast(1), 101)).rejects.toThrow('at most its reservation');
  });

  test('GA2 used, reserved and left add up to the limit, whatever happens in which order', async () => {
    const spending = await newSpending();
    let customers = 0;
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom('reserve', 'settle', 'limit'),
        id: fc.integer({ min: 1, max: 4 }),
        cents: fc.integer({ min: 0, max: 300 }),
      }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        customers += 1;
        const customerId = `cus_p${customers}`;
        await spending.change(customerId, { hardLimitCents: 500 });
        for (const { kind, id, cents } of list) {
          const open = (await spending.get(customerId, period))?.open[`cast-${id}`];
          if (kind === 'limit') await spending.change(customerId, { hardLimitCents: cents });
          else if (kind === 'reserve') {
            await spending.reserve(cast(id, cents, { customerId }), made());
          } else if (open !== undefined) {
            await spending.settle(
              cast(id, open.cents, { customerId }),
              Math.min(cents, open.cents),
            );
          }
        }
        const counter = await spending.get(customerId, period);
        if (counter === undefined) throw new Error('there is no counter');
        const { usedCents, reservedCents, leftCents, hardLimitCents, open, openCount } = counter;
        expect(usedCents + reservedCents + leftCents).toBe(hardLimitCents);
        const entries = Object.values(open);
        expect(entries.reduce((sum, { cents }) => sum + cents, 0)).toBe(reservedCents);
        expect(entries).toHaveLength(openCount);
      }),
      { numRuns: 25 },
    );
  });
});

describe('GA12 a reservation belongs to its month', () => {
  test('GA12 reserved on 31 January, settled on 1 February: January alone is touched', async () => {
    let now = '2026-01-31T23:59:50.000Z';
    const spending = await newSpending(() => new Date(now));
    await spending.change('cus_1', { hardLimitCents: 1000 });
    const january = cast('jan', 900, { period: '2026-01' });
    expect((await spending.reserve(january, { ...made(), at: now })).state).toBe('reserved');
    now = '2026-02-01T00:00:20.000Z';
    await spending.settle(january, 700);
    const february = cast('feb', 950, { period: '2026-02' });
    expect((await spending.reserve(february, { ...made(), at: now })).state).toBe('reserved');
    expect(await spending.get('cus_1', '2026-01')).toMatchObject({
      usedCents: 700,
      reservedCents: 0,
      leftCents: 300,
    });
    expect(await spending.get('cus_1', '2026-02')).toMatchObject({
      usedCents: 0,
      reservedCents: 950,
      leftCents: 50,
    });
  });

  test('GA12 a limit lowered in between holds for what comes, and breaks nothing that is open', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 1000 });
    await spending.reserve(cast(1, 900), made());
    await spending.change('cus_1', { hardLimitCents: 500 });
    expect((await spending.reserve(cast(2, 1), made(1))).state).toBe('refused');
    await spending.settle(cast(1, 900), 300);
    expect(await spending.get('cus_1', period)).toMatchObject({ usedCents: 300, leftCents: 200 });
    expect((await spending.reserve(cast(3, 200), made(2))).state).toBe('reserved');
  });

  test('GA12 a budget changed while the month turns reaches the new month’s counter', async () => {
    const times = ['2026-01-31T23:59:59.000Z'];
    const spending = await newSpending(() => new Date(times.shift() ?? '2026-02-01T00:00:00.200Z'));
    await spending.change('cus_1', { hardLimitCents: 1000 });
    // February's first cast comes between the change's reading of the clock and its end.
    await spending.reserve(cast('feb', 1, { period: '2026-02' }), {
      ...made(),
      at: '2026-02-01T00:00:00.100Z',
    });
    times.push('2026-01-31T23:59:59.950Z');
    await spending.change('cus_1', { hardLimitCents: 300 });
    for (const [month, left] of [
      ['2026-01', 300],
      ['2026-02', 299],
    ] as const) {
      expect(await spending.get('cus_1', month)).toMatchObject({
        hardLimitCents: 300,
        leftCents: left,
      });
    }
  });
});

describe('GA1 budgets changed while casts run', () => {
  test('I7 fifty changes among three hundred casts: the counter ends at the last limit, to the cent', async () => {
    const spending = await newSpending();
    await spending.change('cus_1', { hardLimitCents: 20_000 });
    const [states] = await Promise.all([
      atOnce(300, async (n) => await spending.reserve(cast(n, 10), made())),
      (async () => {
        for (let n = 1; n <= 50; n += 1) {
          await spending.change('cus_1', { hardLimitCents: 20_000 - n * 100 });
        }
      })(),
    ]);
    const reserved = states.filter(({ state }) => state === 'reserved').length;
    expect(reserved).toBe(300);
    expect(await spending.get('cus_1', period)).toMatchObject({
      hardLimitCents: 15_000,
      reservedCents: 3000,
      leftCents: 12_000,
      openCount: 300,
    });
  });

  test('a second budget is a conflict where only a new one is wanted; what is not there cannot be deleted', async () => {
    const spending = await newSpending();
    expect(await refusalOf(spending.change('cus_1', {}))).toMatchObject({ code: 'not_found' });
    const limits = { hardLimitCents: 500, softLimitCents: 400 };
    expect(await spending.change('cus_1', limits, true)).toMatchObject({ ...limits, version: 1 });
    expect(await refusalOf(spending.change('cus_1', limits, true))).toMatchObject({
      code: 'conflict',
    });
    expect(await spending.change('cus_1', {})).toBe(undefined);
    expect((await spending.read('cus_1', period)).budget).toBe(undefined);
    expect((await spending.reserve(cast(1, 10_000), made())).state).toBe('reserved');
    expect(await spending.change('cus_1', limits, true)).toMatchObject({ version: 3 });
    expect((await spending.reserve(cast(2, 1), made())).state).toBe('refused');
  });
});

describe('GA11 reservations that may be left behind are found', () => {
  test('GA11 counters with open casts are listed page by page until they are closed', async () => {
    const spending = await newSpending();
    const customerIds = Array.from({ length: 230 }, (_, n) => `cus_${String(n).padStart(3, '0')}`);
    await atOnce(230, async (n) => {
      await spending.reserve(cast(n, 1, { customerId: customerIds[n] ?? '' }), made());
    });
    const listed: string[] = [];
    let after: string | undefined;
    do {
      const page = await spending.openOnes(period, after);
      listed.push(...page.customerIds);
      after = page.next;
    } while (after !== undefined);
    expect(listed).toStrictEqual(customerIds);
    await spending.settle(cast(0, 1, { customerId: 'cus_000' }), 1);
    await spending.markClosed('cus_000', period);
    await spending.markClosed('cus_001', period);
    const [first] = (await spending.openOnes(period, undefined)).customerIds;
    expect(first).toBe('cus_001');
  });
});
