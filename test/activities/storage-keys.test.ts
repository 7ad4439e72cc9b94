/** Keys that XML does not carry: every object once, or a failure that names the customer (SB20). */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { ChunkTally } from '../../activities/measure-storage.ts';
import { countFlat, countPrefix } from '../../activities/list-storage.ts';
import { customersKey } from '../../domain/files.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startStubS3 } from '../support/stub-s3.ts';
import type { StubOptions } from '../support/stub-s3.ts';

const signal = new AbortController().signal;
const root = 'service/input/';
const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${String(index).padStart(4, '0')}`);
const escaped = (key: string): string => key.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
/** Characters beyond U+FFFF as references: the SDK cuts them to their last 16 bits. */
const referenced = (key: string): string =>
  escaped(key).replaceAll(
    /[\u{10000}-\u{10FFFF}]/gu,
    (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`,
  );

/** Both ways of listing, of a store that holds these files of one customer and two of its neighbours. */
async function countBoth(files: readonly string[], how: Omit<StubOptions, 'objects'>) {
  const own = files.map((file) => [`${root}cus_k/${file}`, 1] as const);
  const others = ['cus_j/x', 'cus_l/x'].map((file) => [`${root}${file}`, 7] as const);
  const stub = await startStubS3({ ...how, objects: new Map([...own, ...others]) });
  const s3 = createS3(
    parseConfig({ S3_ENDPOINT: stub.url, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }),
  );
  const store = { s3, bucket: 'stub', limit: pLimit(10) };
  try {
    const flat = await countFlat(store, root, ['cus_j', 'cus_k', 'cus_l'], signal);
    return { alone: await countPrefix(store, `${root}cus_k/`, signal), flat: [...flat] };
  } finally {
    s3.destroy();
    await stub.stop();
  }
}

const counted = (files: number) => ({
  alone: { bytes: BigInt(files), files },
  flat: [
    ['cus_j', { bytes: 7n, files: 1 }],
    ['cus_k', { bytes: BigInt(files), files }],
    ['cus_l', { bytes: 7n, files: 1 }],
  ],
});

describe('SB20 every object once, whatever its key and whatever the store writes', () => {
  const layouts: [string, string[]][] = [
    ['a carriage return at a page’s end', [...numbered('a', 999), 'b\r', 'c']],
    ['a line feed and then a carriage return', [...numbered('a', 998), 'b\n', 'b\r', 'b\r2', 'c']],
    ['an emoji at a page’s end', [...numbered('a', 999), 'b😀', 'b😁', 'c', '\u{10031}']],
    ['plus, space, percent and ampersand', [...numbered('a', 998), 'b +%2F&', 'b%', 'c d', 'e+f']],
    ['two thousand names with a carriage return', numbered('a\r', 2001)],
  ];
  const stores: [string, Omit<StubOptions, 'objects'>][] = [
    ['URL-encoded, opaque tokens', { write: escaped, encodes: true, token: 'opaque' }],
    ['URL-encoded, names for tokens', { write: escaped, encodes: true, token: 'name' }],
    ['raw names, opaque tokens', { write: escaped, encodes: false, token: 'opaque' }],
    ['references, opaque tokens', { write: referenced, encodes: false, token: 'opaque' }],
  ];
  test.each(
    stores.flatMap(([store, how]) => layouts.map((layout) => [store, how, layout] as const)),
  )('%s: %#', async (_store, how, [, files]) => {
    expect(await countBoth(files, how)).toEqual(counted(files.length));
  });

  test.each(layouts.slice(0, 3))(
    'raw names for tokens: %s is gone round, for what is sure comes before it',
    async (_what, files) => {
      const how = { write: referenced, encodes: false, token: 'name' } as const;
      expect(await countBoth(files, how)).toEqual(counted(files.length));
    },
  );

  test('raw names for tokens: a page of nothing that is sure is a failure and no figure', async () => {
    const how = { write: escaped, encodes: false, token: 'name' } as const;
    await expect(countBoth(numbered('a\r', 2001), how)).rejects.toThrow(
      'holds keys that the store cannot say',
    );
  });
});

describe('SB20 on versitygw, which neither encodes nor has tokens of its own', () => {
  const day = new Date().toISOString().slice(0, 10);
  let services: Services;
  let s3: S3Client;
  beforeAll(async () => {
    services = await startServices();
    s3 = services.s3;
  });
  afterAll(async () => {
    await services.stop();
  });

  async function putAll(customerId: string, files: readonly string[]): Promise<void> {
    const folder = path.join(services.dataDir, 's3', services.config.BUCKET, root, customerId);
    await mkdir(folder, { recursive: true });
    for (const file of files) await writeFile(path.join(folder, file), Buffer.alloc(1024));
  }

  async function aggregate(ids: string[]): Promise<ChunkTally> {
    const file = path.join(
      services.dataDir,
      's3',
      services.config.BUCKET,
      customersKey(day, 'keys', 0),
    );
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(ids));
    const { aggregateChunk } = createActivities(createTestDependencies(services, { s3 }).deps);
    const order = { day, runKey: 'keys', chunk: 0 };
    type Chunk = (given: typeof order) => Promise<ChunkTally>;
    const environment = new MockActivityEnvironment();
    return await environment.run<[typeof order], ChunkTally, Chunk>(aggregateChunk, order);
  }

  test('a control character at a page’s end hides nothing: 1,010 files, 1,010 KiB', async () => {
    const later = Array.from({ length: 9 }, (_, index) => `b${index + 1}`);
    await putAll('cus_hidden', [...numbered('a', 999), 'b\u0001', ...later, 'c']);
    expect(await aggregate(['cus_before', 'cus_hidden'])).toMatchObject({ failed: [] });
    expect(await services.storageDaily.get('cus_hidden', day)).toMatchObject({
      totalStorageBytes: String(1010 * 1024),
      totalFileCount: 1010,
    });
  });

  test('a thousand names that it cannot say: no row, the customer and the reason, the others measured', async () => {
    await putAll('cus_unsaid', numbered('\u0001', 1001));
    await putAll('cus_said', ['a']);
    const { failed } = await aggregate(['cus_said', 'cus_unsaid']);
    expect(failed).toEqual([
      {
        customerId: 'cus_unsaid',
        reason: 'the listing of service/input/cus_unsaid/ holds keys that the store cannot say',
      },
    ]);
    expect(await services.storageDaily.get('cus_unsaid', day)).toBeUndefined();
    expect((await services.storageDaily.get('cus_said', day))?.totalFileCount).toBe(1);
  });
});
