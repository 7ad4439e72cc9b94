/** One process never asks for more connections than its pools hold (FM15). */
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countPrefix } from '../../activities/list-storage.ts';
import { createS3 } from '../../platform/s3.ts';
import { parseConfig } from '../../platform/config.ts';
import { poolSizes } from '../../worker/connections.ts';
import { concurrencyWith } from '../../worker/run.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

let services: Services;
let gate: Gate;
beforeAll(async () => {
  services = await startServices();
  gate = await startGate(services.env['S3_ENDPOINT'] ?? '');
});
afterAll(async () => {
  await gate.stop();
  await services.stop();
});

test('FM15 200 listings at once are on their way together: none waits for a connection', async () => {
  const config = parseConfig({
    ...services.env,
    S3_ENDPOINT: gate.url,
    STORAGE_LISTINGS_AT_ONCE: '200',
  });
  const pools = poolSizes(concurrencyWith(config.STORAGE_LISTINGS_AT_ONCE));
  const s3 = createS3(config, pools.s3);
  const isList = (request: string): boolean => request.includes('list-type=2');
  // Answers none before all of them are there.
  gate.gather(isList, 200);
  const lists = gate.watch(isList);
  const store = { s3, bucket: config.BUCKET, limit: pLimit(config.STORAGE_LISTINGS_AT_ONCE) };
  const { signal } = new AbortController();
  const counts = await Promise.all(
    Array.from(
      { length: 200 },
      async (_, index) => await countPrefix(store, `service/input/cus_${index}/`, signal),
    ),
  );
  expect(counts).toEqual(counts.map(() => ({ bytes: 0n, files: 0 })));
  expect(lists.mostAtOnce).toBe(200);
  s3.destroy();
});

test('FM15 the pools follow what is configured: every file with its parts, every listing, every row', () => {
  const of = { tableTasks: 12, singleTasks: 5, fileTasks: 2, listingTasks: 3, listings: 11 };
  // A chunk reads four files, with two parts of each under way; a table task makes ten calls at once.
  expect(poolSizes(of)).toEqual({
    s3: 2 * 12 + 3 + 11 + 10,
    dynamoDb: 12 * 10 + 5 + 2 + 3 + 11 + 10,
  });
  // Today's slots: 20 files, 20 for listing; 20, 100 local, 40 of the delivery, 50 of events; 100 and 10 single.
  expect(poolSizes(concurrencyWith(1000))).toEqual({
    s3: 20 * 12 + 20 + 1000 + 10,
    dynamoDb: 210 * 10 + 110 + 20 + 20 + 1000 + 10,
  });
});
