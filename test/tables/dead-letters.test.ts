import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { deadLetterKinds } from '../../domain/dead-letters.ts';
import type { DeadLetterKind } from '../../domain/dead-letters.ts';
import { createDeadLetters } from '../../tables/dead-letters.ts';
import type { DeadLetterPlaces, DeadLetters } from '../../tables/dead-letters.ts';
import { at, atOnce, collect, rawRows, useDynamodb } from './support.ts';
import { aboutOf, newLetter } from '../support/dead-letters.ts';

const database = useDynamodb();
const newDeadLetters = async () => {
  const store = await database.newStore();
  return { store, letters: createDeadLetters(store) };
};
const letter = (about: string, kind: DeadLetterKind = 'usage-parked') =>
  newLetter(kind, about, {
    error: 'retries ran out',
    attempts: 4,
    record: { identifier: about, quantity: '9007199254740993', source: { kind: 'processing' } },
  });
const id = 'usage-parked/job-1';

describe('DL9 dead letters', () => {
  test('DL9 hold the record, the error, the attempts and times', async () => {
    const { letters } = await newDeadLetters();
    await letters.open(letter('job-1'), at(1));
    expect(await letters.get(id)).toStrictEqual({
      ...letter('job-1'),
      status: 'open',
      createdAt: at(1),
      updatedAt: at(1),
    });
    expect(await letters.get('usage-rejected/job-1')).toBe(undefined);
  });

  test('DL9 the same work again opens its row again: first time, last error, no old reason', async () => {
    const { store, letters } = await newDeadLetters();
    await letters.open(letter('job-1'), at(1));
    await letters.close(id, { status: 'discarded', reason: 'a test' }, at(2));
    await letters.open({ ...letter('job-1'), error: 'worse', attempts: 9 }, at(3));
    expect(await rawRows(store, 'dead-letters')).toStrictEqual([
      {
        ...letter('job-1'),
        error: 'worse',
        attempts: 9,
        status: 'open',
        createdAt: at(1),
        updatedAt: at(3),
      },
    ]);
  });

  test('DL9 discarded with a reason, and the row is kept', async () => {
    const { letters } = await newDeadLetters();
    await letters.open(letter('job-1'), at(1));
    expect(await letters.close(id, { status: 'discarded', reason: 'refunded' }, at(2))).toBe(true);
    expect(await letters.get(id)).toStrictEqual({
      ...letter('job-1'),
      status: 'discarded',
      discardReason: 'refunded',
      createdAt: at(1),
      updatedAt: at(2),
    });
  });

  test('DL9 only what is open is closed, and only once', async () => {
    const { store, letters } = await newDeadLetters();
    expect(await letters.close(id, { status: 'redriven' }, at(1))).toBe(false);
    expect(await rawRows(store, 'dead-letters')).toStrictEqual([]);
    await letters.open(letter('job-1'), at(1));
    const closings = await atOnce(10, async (n) =>
      n % 2 === 0
        ? await letters.close(id, { status: 'redriven' }, at(2))
        : await letters.close(id, { status: 'discarded', reason: 'x' }, at(2)),
    );
    expect(closings.filter(Boolean)).toStrictEqual([true]);
    const closed = await letters.get(id);
    expect(await letters.close(id, { status: 'redriven' }, at(9))).toBe(false);
    expect(await letters.get(id)).toStrictEqual(closed);
  });

  test('DL9 are listed by kind, oldest first, all pages', async () => {
    const { letters } = await newDeadLetters();
    await atOnce(210, async (n) => {
      await letters.open(letter(`job-${n}`), at((n * 11) % 210));
    });
    await letters.open(letter('job-1', 'usage-rejected'), at(1));
    await letters.close(id, { status: 'redriven' }, at(300));
    const times = async (kind: DeadLetterKind) =>
      (await collect(letters.list(kind))).map(({ createdAt }) => createdAt);
    expect(await times('usage-parked')).toStrictEqual(Array.from({ length: 210 }, (_, n) => at(n)));
    expect(await times('usage-rejected')).toStrictEqual([at(1)]);
    const all = (await collect(letters.list(undefined))).map((found) => found.id);
    expect([all.length, new Set(all).size, all[0]]).toStrictEqual([
      211,
      211,
      'usage-rejected/job-1',
    ]);
  });

  /** Every page, until one says that it is the last. */
  async function pages(
    letters: DeadLetters,
    options: Omit<Parameters<DeadLetters['page']>[0], 'after'>,
  ): Promise<string[][]> {
    const found: string[][] = [];
    let after: DeadLetterPlaces | undefined;
    do {
      const page = await letters.page({ ...options, after });
      found.push(page.letters.map(({ id: each }) => each));
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  test('WH7 pages: the oldest first over all kinds, each once, whatever the limit', async () => {
    const { letters } = await newDeadLetters();
    // Five kinds in turn, two of every three at the same moment as the one before.
    await atOnce(60, async (n) => {
      const kind = deadLetterKinds[n % deadLetterKinds.length] ?? 'usage-parked';
      await letters.open(letter(`job-${n}`, kind), at(Math.floor(n / 3)));
    });
    const whole = await letters.page({ limit: 100 });
    expect(whole.next).toBe(undefined);
    const times = whole.letters.map(({ createdAt }) => createdAt);
    expect(times).toStrictEqual(times.toSorted());
    expect(new Set(whole.letters.map(aboutOf)).size).toBe(60);
    const ids = whole.letters.map(({ id: each }) => each);
    for (const limit of [1, 7, 59, 60]) {
      const found = await pages(letters, { limit });
      expect([limit, found.flat()]).toStrictEqual([limit, ids]);
      expect(found.slice(0, -1).filter(({ length }) => length !== limit)).toStrictEqual([]);
    }
    const parked = await pages(letters, { kind: 'usage-parked', limit: 5 });
    expect(parked.flat()).toStrictEqual(ids.filter((each) => each.startsWith('usage-parked/')));
  });

  test('WH7 pages by status; what is closed or added between two of them moves nothing', async () => {
    const { letters } = await newDeadLetters();
    await atOnce(20, async (n) => {
      await letters.open(letter(`job-${String(n).padStart(2, '0')}`), at(n));
    });
    const closed = ['usage-parked/job-03', 'usage-parked/job-11', 'usage-parked/job-19'];
    for (const each of closed) await letters.close(each, { status: 'redriven' }, at(50));
    expect(await pages(letters, { status: 'redriven', limit: 2 })).toStrictEqual([
      closed.slice(0, 2),
      closed.slice(2),
    ]);
    expect((await pages(letters, { status: 'discarded', limit: 2 })).flat()).toStrictEqual([]);
    const first = await letters.page({ status: 'open', limit: 5 });
    await letters.close('usage-parked/job-05', { status: 'redriven' }, at(51));
    await letters.close('usage-parked/job-08', { status: 'redriven' }, at(51));
    await letters.open(letter('late', 'webhook-event'), at(52));
    const second = await letters.page({ status: 'open', limit: 100, after: first.next });
    expect([...first.letters, ...second.letters].map(aboutOf)).toStrictEqual(
      [0, 1, 2, 4, 5, 6, 7, 9, 10, 12, 13, 14, 15, 16, 17, 18]
        .map((n) => `job-${String(n).padStart(2, '0')}`)
        .concat('late'),
    );
    expect(second.next).toBe(undefined);
  });

  test('WH7 a page ends after so many closed rows, and says where to go on', async () => {
    const { store, letters } = await newDeadLetters();
    const Item = { ...letter('x'), status: 'redriven', updatedAt: at(1) };
    const rows = Array.from({ length: 450 }, (_, n) => {
      const identifier = `old-${String(n).padStart(4, '0')}`;
      const createdAt = new Date(Date.UTC(2026, 0, 1) + n).toISOString();
      return { ...Item, subject: { identifier }, id: `usage-parked/${identifier}`, createdAt };
    });
    for (let from = 0; from < rows.length; from += 25) {
      const put = rows.slice(from, from + 25).map((row) => ({ PutRequest: { Item: row } }));
      const RequestItems = { [`${store.prefix}dead-letters`]: put };
      await store.db.send(new BatchWriteCommand({ RequestItems }));
    }
    await letters.open(letter('new'), at(1));
    const open = { status: 'open', limit: 5, mostReads: 1 } as const;
    const found = await pages(letters, { ...open, kind: 'usage-parked' });
    expect(found).toStrictEqual([[], [], ['usage-parked/new']]);
    expect(await pages(letters, open)).toStrictEqual([[], [], ['usage-parked/new']]);
    expect(await pages(letters, { status: 'open', limit: 5 })).toStrictEqual([
      ['usage-parked/new'],
    ]);
  });
});
