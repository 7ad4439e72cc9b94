import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countFlat, countPrefix } from '../../activities/list-storage.ts';
import type { ObjectStore } from '../../activities/list-objects.ts';
import type { StorageCount } from '../../domain/storage.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

let services: Services;
let gate: Gate;
const clients: S3Client[] = [];
beforeAll(async () => {
  services = await startServices();
  gate = await startGate(services.env['S3_ENDPOINT'] ?? '');
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await gate.stop();
  await services.stop();
});

const signal = new AbortController().signal;

/** A client through the gate whose pages hold so many keys. */
function storeOf(pageSize = 1000): ObjectStore {
  const s3 = createS3(parseConfig({ ...services.env, S3_ENDPOINT: gate.url }));
  s3.middlewareStack.add(
    (next) => async (call) => {
      Object.assign(call.input, { MaxKeys: pageSize });
      return await next(call);
    },
    { step: 'initialize' },
  );
  clients.push(s3);
  return { s3, bucket: services.config.BUCKET, limit: pLimit(10) };
}

type Layout = Map<string, number>;

/** Puts the objects; many at once go straight into the folder that versitygw serves. */
async function put(layout: Layout): Promise<void> {
  const { BUCKET: Bucket } = services.config;
  for (const [Key, bytes] of layout) {
    if (Key.endsWith('/')) {
      await services.s3.send(new PutObjectCommand({ Bucket, Key, ContentLength: 0 }));
      continue;
    }
    const file = path.join(services.dataDir, 's3', Bucket, Key);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, Buffer.alloc(bytes));
  }
}

/** Straight from what was put: no order, no pages. */
function oracle(layout: Layout, root: string, ids: readonly string[]): Map<string, StorageCount> {
  const counts = new Map<string, StorageCount>();
  for (const id of ids) {
    const own = [...layout].filter(([key]) => key.startsWith(`${root}${id}/`));
    counts.set(id, {
      bytes: own.reduce((sum, [, bytes]) => sum + BigInt(bytes), 0n),
      files: own.filter(([key]) => !key.endsWith('/')).length,
    });
  }
  return counts;
}

async function oneByOne(store: ObjectStore, root: string, ids: readonly string[]) {
  const counts = new Map<string, StorageCount>();
  for (const id of ids) counts.set(id, await countPrefix(store, `${root}${id}/`, signal));
  return counts;
}

/** Small and repeatable (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

const names = ['a', 'b.txt', 'ü/ß.txt', '日本/語', '😀', 'z z+%26', 'deep/er/still', '~', '0'];
const customers = 'cus_1 cus_10 cus_100 cus_11 cus_2 cus_A cus_a cus_a_ cus_z'.split(' ');
/** Nobody's, mostly: between, before and after them, and with what sorts around `/`. */
const strangers = ['cus_1-x', 'cus_1.x', 'cus_1 x', 'cus_10b', 'cus_Ü', '0', 'zzz', 'cus', 'cus_'];
const owners = [...customers, ...strangers];

function randomLayout(root: string, seed: number): { layout: Layout; ids: string[] } {
  const roll = dice(seed);
  const layout: Layout = new Map();
  for (const owner of owners) {
    if (roll(3) === 0) continue;
    for (const name of names) if (roll(2) === 0) layout.set(`${root}${owner}/${name}`, roll(50));
    if (roll(3) === 0) layout.set(`${root}${owner}/folder/`, 0);
    for (let more = roll(4) === 0 ? roll(30) : 0; more > 0; more -= 1) {
      layout.set(`${root}${owner}/more/${more}`, roll(9));
    }
  }
  for (const name of ['0.txt', 'cus_1.txt', 'cus_10.', 'zzzz.txt', 'Ä']) {
    if (roll(3) === 0) layout.set(`${root}${name}`, roll(50));
  }
  const ids = [...customers, 'cus_none', 'cus_1-x', 'cus_1.x', 'cus_10b'].filter(
    () => roll(5) !== 0,
  );
  return { layout, ids: ids.toSorted() };
}

describe('SB2 SB3 two ways of listing, the same figures', () => {
  test('forty random layouts with pages of 1 to 7 keys: both as put', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const root = `random/${seed}/`;
      const { layout, ids } = randomLayout(root, seed);
      await put(layout);
      const store = storeOf(1 + (seed % 7));
      const expected = oracle(layout, root, ids);
      expect({ seed, counts: await countFlat(store, root, ids, signal) }).toEqual({
        seed,
        counts: expected,
      });
      expect({ seed, counts: await oneByOne(store, root, ids) }).toEqual({
        seed,
        counts: expected,
      });
    }
  });

  test('many small ones, empty ones, 2,500 objects in the middle, chunk ends: real pages', async () => {
    const root = 'many/';
    const layout: Layout = new Map();
    const ids: string[] = [];
    for (let index = 0; index < 300; index += 1) {
      const id = `cus_${index}`;
      ids.push(id);
      const objects = index === 150 ? 2500 : index % 3;
      for (let file = 0; file < objects; file += 1) layout.set(`${root}${id}/${file}`, file % 7);
    }
    ids.sort();
    await put(layout);
    const store = storeOf();
    const lists = gate.watch((request) => request.includes('list-type=2'));
    expect(await countFlat(store, root, ids, signal)).toEqual(oracle(layout, root, ids));
    // 2,799 objects: 3 pages, and one more for the rest of the big one beside the walk at most.
    expect(lists.requests.length).toBeLessThanOrEqual(5);
    for (const part of [ids.slice(0, 100), ids.slice(100, 200), ids.slice(200)]) {
      const expected = oracle(layout, root, part);
      expect(await countFlat(store, root, part, signal)).toEqual(expected);
    }
    expect(await oneByOne(store, root, ids)).toEqual(oracle(layout, root, ids));
  });

  test('an unknown prefix of 6,000 objects is jumped over', async () => {
    const root = 'jump/';
    const layout: Layout = new Map([
      [`${root}cus_1/a`, 1],
      [`${root}cus_9/a`, 9],
    ]);
    for (let file = 0; file < 6000; file += 1) layout.set(`${root}cus_5_unknown/${file}`, 1);
    await put(layout);
    const store = storeOf();
    const lists = gate.watch((request) => request.includes('list-type=2'));
    const ids = ['cus_1', 'cus_9'];
    expect(await countFlat(store, root, ids, signal)).toEqual(oracle(layout, root, ids));
    expect(lists.requests).toHaveLength(2);
  });

  test.each(['cus_1-old', 'cus_1.old', 'cus_1 old'])(
    'SB5 page after page of %s hides nothing of cus_1',
    async (stranger) => {
      const root = `beside/${stranger.replace(' ', '+')}/`;
      const layout: Layout = new Map();
      for (const id of ['cus_0', 'cus_1', 'cus_2']) layout.set(`${root}${id}/a`, 5);
      for (let file = 0; file < 2100; file += 1) layout.set(`${root}${stranger}/${file}`, 1);
      await put(layout);
      const ids = ['cus_0', 'cus_1', 'cus_2'];
      expect(await countFlat(storeOf(), root, ids, signal)).toEqual(oracle(layout, root, ids));
    },
  );

  test('nobody, nothing, and ids of nobody at all', async () => {
    const store = storeOf();
    const nothing = { bytes: 0n, files: 0 };
    expect(await countFlat(store, 'void/', [], signal)).toEqual(new Map());
    expect(await countFlat(store, 'void/', ['cus_1', 'cus_2'], signal)).toEqual(
      new Map([
        ['cus_1', nothing],
        ['cus_2', nothing],
      ]),
    );
    expect(await countPrefix(store, 'void/cus_1/', signal)).toEqual(nothing);
  });

  test('versitygw lists in the order of UTF-8, on which the walk relies', async () => {
    const root = 'order/';
    const keys = ['cus_1 x', 'cus_1-x', 'cus_1.x', 'cus_1/x', 'cus_10/x', 'cus_A/x', 'cus_a/x'];
    const wide = ['cus_Ü/x', 'cus_日/x', 'cus_😀/x'];
    const all = [...keys, ...wide].map((key) => `${root}${key}`);
    await put(new Map(all.map((key) => [key, 1])));
    const { Contents = [] } = await services.s3.send(
      new ListObjectsV2Command({ Bucket: services.config.BUCKET, Prefix: root }),
    );
    expect(Contents.map(({ Key }) => Key)).toEqual(all);
  });
});

describe('SB5 a listing that fails', () => {
  test.each(['the walk', 'the big one beside it', 'one by one'])(
    '%s: page 2 answered with 500 throws, and counts nothing',
    async (which) => {
      const root = `fails/${which.replaceAll(' ', '-')}/`;
      const layout: Layout = new Map();
      for (let file = 0; file < 9; file += 1) layout.set(`${root}cus_1/${file}`, 1);
      for (let file = 0; file < 9; file += 1) layout.set(`${root}cus_2/x${file}/y`, 1);
      await put(layout);
      const store = storeOf(4);
      const prefix = which === 'the walk' ? root : `${root}cus_1/`;
      const query = `prefix=${encodeURIComponent(prefix)}&`;
      const second = encodeURIComponent(`${root}cus_1/3`);
      gate.fail((request) => request.includes(query) && request.includes(`start-after=${second}`));
      if (which === 'the walk') {
        // The big one goes on after the third key, and so does the walk: only the walk is failed.
        gate.open();
        gate.fail((request) => request.includes(query) && request.includes('start-after'));
      }
      const count =
        which === 'one by one'
          ? countPrefix(store, prefix, signal)
          : countFlat(store, root, ['cus_1', 'cus_2'], signal);
      await expect(count).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
      gate.open();
      expect(await countFlat(store, root, ['cus_1', 'cus_2'], signal)).toEqual(
        oracle(layout, root, ['cus_1', 'cus_2']),
      );
    },
  );
});
