import { describe, expect, test } from 'vitest';
import { deadLetterId } from '../../domain/ids.ts';
import type { DeadLetterKind } from '../../domain/dead-letters.ts';
import { createDeadLetters } from '../../tables/dead-letters.ts';
import { at, atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const newDeadLetters = async () => {
  const store = await database.newStore();
  return { store, letters: createDeadLetters(store) };
};
const letter = (subject: string, kind: DeadLetterKind = 'usage-parked') => ({
  id: deadLetterId(kind, subject),
  kind,
  subject,
  customerId: 'cus_1',
  error: 'retries ran out',
  attempts: 4,
  record: { identifier: subject, quantity: '9007199254740993', source: { kind: 'processing' } },
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
});
