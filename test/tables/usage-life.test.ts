/** DL12: what befell a record never makes its row too large, and a refused key leaves no trace in it. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { createUsageLedger } from '../../tables/usage-ledger.ts';
import { growLife, usageOf } from './ledger-support.ts';
import { at, atOnce, useDynamodb } from './support.ts';

const database = useDynamodb();

/** A record of that many lines, and how large its row is. */
async function grown(lines: number) {
  const store = await database.newStore();
  const ledger = createUsageLedger(store);
  await ledger.record(usageOf('job-1'), at(0));
  const life = await growLife(store, 'job-1', lines);
  const bytes = async (): Promise<number> => {
    const key = { TableName: `${store.prefix}usage-ledger`, Key: { identifier: 'job-1' } };
    return JSON.stringify((await store.db.send(new GetCommand(key))).Item).length;
  };
  return { ledger, life, bytes };
}

describe('DL12 a row that has grown to 395 KB', () => {
  test('DL12 case 20: is claimed and delivered, and is small again', async () => {
    const { ledger, life, bytes } = await grown(1483);
    expect(await bytes()).toBeGreaterThan(350_000);
    const claimed = await ledger.claim('job-1', at(1));
    expect(claimed).toMatchObject({ state: 'sending', attempts: 1, lifeLeftOut: 1434 });
    expect(await bytes()).toBeLessThan(20_000);
    const row = await ledger.confirm('job-1', at(2), 'delivered');
    expect(row).toMatchObject({ state: 'delivered', lifeLeftOut: 1435 });
    expect(row?.life).toStrictEqual([
      ...life.slice(0, 10),
      ...life.slice(-38),
      { at: at(1), what: 'sending' },
      { at: at(2), what: 'delivered' },
    ]);
  });

  test('DL12 is put off and laid aside like any other', async () => {
    const { ledger } = await grown(1483);
    const put = { nextAttemptAt: at(60), error: 'boom', now: at(1) };
    expect(await ledger.defer('job-1', put)).toMatchObject({ state: 'pending', rounds: 1 });
    const parked = await ledger.layAside('job-1', 'parked', 'boom', at(2));
    expect(parked).toMatchObject({ state: 'parked', lifeLeftOut: 1435 });
    expect(parked?.life).toHaveLength(50);
  });

  test('DL2 DL12 claims at once on a full life: each counts, none is lost', async () => {
    const { ledger } = await grown(50);
    await atOnce(3, async () => await ledger.claim('job-1', at(1)));
    expect(await ledger.get('job-1')).toMatchObject({ attempts: 3, lifeLeftOut: 3 });
  });
});

describe('DL12 a refused key', () => {
  test('DL12 leaves the record as it was, whenever that was', async () => {
    const store = await database.newStore();
    const ledger = createUsageLedger(store);
    await ledger.record(usageOf('job-1'), at(0));
    for (const second of [10, 20, 30]) {
      const before = await ledger.get('job-1');
      const claimed = await ledger.claim('job-1', at(second));
      if (before === undefined || claimed === undefined) throw new Error('no record');
      await ledger.unclaim(before, claimed);
      expect(await ledger.get('job-1')).toStrictEqual(before);
      // Between the probes it has a history of its own.
      await ledger.claim('job-1', at(second + 1));
      await ledger.noteFailure('job-1', 'Stripe HTTP 500', false, at(second + 2));
    }
    expect((await ledger.get('job-1'))?.attempts).toBe(3);
  });

  test('DL12 any number of probes of a full life cost it one line', async () => {
    const { ledger, life } = await grown(50);
    for (let probe = 0; probe < 30; probe += 1) {
      const before = await ledger.get('job-1');
      const claimed = await ledger.claim('job-1', at(1));
      if (before === undefined || claimed === undefined) throw new Error('no record');
      await ledger.unclaim(before, claimed);
    }
    const row = await ledger.get('job-1');
    expect(row).toMatchObject({ state: 'pending', attempts: 0, lifeLeftOut: 1 });
    expect(row?.life).toStrictEqual([...life.slice(0, 10), ...life.slice(11)]);
  });

  test('DL2 DL12 a claim that is not the last one any more is not taken back', async () => {
    const store = await database.newStore();
    const ledger = createUsageLedger(store);
    const before = await ledger.record(usageOf('job-1'), at(0));
    const claimed = await ledger.claim('job-1', at(1));
    if (claimed === undefined) throw new Error('no record');
    const later = await ledger.claim('job-1', at(2));
    await ledger.unclaim(before, claimed);
    expect(await ledger.get('job-1')).toStrictEqual(later);
  });
});
