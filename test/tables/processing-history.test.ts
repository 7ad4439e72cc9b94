import { describe, expect, test } from 'vitest';
import { createProcessingHistory } from '../../tables/processing-history.ts';
import { at, atOnce, collect, rawRows, useDynamodb } from './support.ts';

const database = useDynamodb();
const newHistory = async () => {
  const store = await database.newStore();
  return { store, history: createProcessingHistory(store) };
};
const job = (processingId: string, customerId = 'cus_1') => ({
  processingId,
  customerId,
  fileCount: 2,
  filesDigest: 'd'.repeat(64),
});
const begun = { ...job('job-1'), status: 'in_progress', createdAt: at(0), updatedAt: at(0) };

describe('FM1 FM2 the row of a processing', () => {
  test('FM1 begun twice it is written once; the second one hears what is there', async () => {
    const { history } = await newHistory();
    expect(await history.begin(job('job-1'), at(0))).toStrictEqual(begun);
    const other = { ...job('job-1', 'cus_2'), filesDigest: 'e'.repeat(64) };
    expect(await history.begin(other, at(5))).toStrictEqual(begun);
    expect(await history.get('job-1')).toStrictEqual(begun);
    expect(await history.get('job-2')).toBe(undefined);
  });

  test('FM1 thirty begin at once: one row, and all hear the same', async () => {
    const { store, history } = await newHistory();
    const rows = await atOnce(30, async (n) => await history.begin(job('job-1'), at(n)));
    const stored = await history.get('job-1');
    expect(rows).toStrictEqual(rows.map(() => stored));
    expect(await rawRows(store, 'processing-history')).toHaveLength(1);
  });

  test('FM2 FM4 completed once: a second call keeps the first completion time and total', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    const completed = {
      ...begun,
      status: 'completed',
      totalBytes: 5120,
      completedAt: at(7),
      updatedAt: at(7),
    };
    expect(await history.complete('job-1', 5120, at(7))).toStrictEqual(completed);
    expect(await history.complete('job-1', 9999, at(8))).toStrictEqual(completed);
    expect(await history.fail('job-1', 'cancelled', at(9))).toStrictEqual(completed);
  });

  test('FM11 failed with its reason, and then never completed', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    const failed = {
      ...begun,
      status: 'failed',
      errorMessage: 'cancelled',
      failedAt: at(3),
      updatedAt: at(3),
    };
    expect(await history.fail('job-1', 'cancelled', at(3))).toStrictEqual(failed);
    expect(await history.complete('job-1', 5120, at(4))).toStrictEqual(failed);
    expect(await history.fail('job-1', 'again', at(5))).toStrictEqual(failed);
  });

  test('FM11 of completing and failing at once exactly one holds, and both hear which', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    const answers = await atOnce(10, async (n) =>
      n % 2 === 0
        ? await history.complete('job-1', n, at(n + 1))
        : await history.fail('job-1', `reason ${n}`, at(n + 1)),
    );
    const stored = await history.get('job-1');
    expect(answers).toStrictEqual(answers.map(() => stored));
    expect(
      [stored?.completedAt, stored?.failedAt].filter((time) => time === undefined),
    ).toHaveLength(1);
  });

  test('FM6 a delivery’s error is noted and the processing stays completed', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    const completed = await history.complete('job-1', 5120, at(7));
    await history.noteDeliveryError('job-1', 'Stripe HTTP 500: boom', at(8));
    expect(await history.get('job-1')).toStrictEqual({
      ...completed,
      errorMessage: 'Stripe HTTP 500: boom',
      updatedAt: at(8),
    });
  });

  test('FM2 nothing makes a row of a processing that was not begun', async () => {
    const { store, history } = await newHistory();
    expect(await history.complete('job-404', 1, at(1))).toBe(undefined);
    expect(await history.fail('job-404', 'no', at(1))).toBe(undefined);
    await history.noteDeliveryError('job-404', 'no', at(1));
    expect(await rawRows(store, 'processing-history')).toStrictEqual([]);
  });

  test('I9 a total of 2^53 − 1 bytes is kept exactly', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    const row = await history.complete('job-1', Number.MAX_SAFE_INTEGER, at(1));
    expect(row?.totalBytes).toBe(9_007_199_254_740_991);
  });
});

const resultOf = (n: number) => ({
  key: `service/input/cus_1/f-${n}`,
  bytes: n,
  outputKey: `service/output/cus_1/job-1/f-${n}.gz`,
  sha256: 'a'.repeat(64),
});

describe('FM2 FM12 per-file results', () => {
  test('FM2 are kept per chunk, a chunk done again replaces itself', async () => {
    const { history } = await newHistory();
    await history.saveResults('job-1', 0, [resultOf(1)]);
    await history.saveResults('job-1', 399, [resultOf(3)]);
    await history.saveResults('job-1', 0, [resultOf(1), resultOf(2)]);
    expect(await history.results('job-1', 0)).toStrictEqual([resultOf(1), resultOf(2)]);
    expect(await history.results('job-1', 1)).toStrictEqual([]);
    expect(await history.results('job-1', 399)).toStrictEqual([resultOf(3)]);
    expect(await history.results('job-10', 0)).toStrictEqual([]);
  });

  test('FM12 a chunk of 25 files with keys of 1,024 bytes fits in a row', async () => {
    const { history } = await newHistory();
    const long = Array.from({ length: 25 }, (_, n) => ({
      ...resultOf(n),
      key: 'k'.repeat(1024),
      outputKey: 'o'.repeat(1024),
    }));
    await history.saveResults('job-1', 7, long);
    expect(await history.results('job-1', 7)).toStrictEqual(long);
  });

  test('FM12 the rows of the chunks are no processings: they are not listed', async () => {
    const { history } = await newHistory();
    await history.begin(job('job-1'), at(0));
    await atOnce(30, async (chunk) => {
      await history.saveResults('job-1', chunk, [resultOf(chunk)]);
    });
    expect(await collect(history.list(undefined))).toStrictEqual([begun]);
    expect(await collect(history.list('cus_1'))).toStrictEqual([begun]);
  });
});

describe('FM2 lists', () => {
  test('FM2 a customer’s runs newest first, everybody’s by scan, all pages', async () => {
    const { history } = await newHistory();
    await atOnce(230, async (n) => await history.begin(job(`job-${n}`), at((n * 7) % 230)));
    await atOnce(3, async (n) => await history.begin(job(`other-${n}`, 'cus_10'), at(n)));
    const own = await collect(history.list('cus_1'));
    expect(own.map(({ createdAt }) => createdAt)).toStrictEqual(
      Array.from({ length: 230 }, (_, n) => at(229 - n)),
    );
    expect((await collect(history.list('cus_10'))).map((row) => row.processingId)).toStrictEqual([
      'other-2',
      'other-1',
      'other-0',
    ]);
    const all = (await collect(history.list(undefined))).map(({ processingId }) => processingId);
    expect([all.length, new Set(all).size]).toStrictEqual([233, 233]);
    expect(await collect(history.list('cus_404'))).toStrictEqual([]);
  });
});
