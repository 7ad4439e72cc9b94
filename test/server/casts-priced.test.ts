import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processFile } from '../../activities/process-file.ts';
import { gzipProcessor } from '../../activities/processor.ts';
import { createObjects } from '../../platform/objects.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { useDynamodb } from '../tables/support.ts';
import { createCastApi } from './cast-server.ts';

const database = useDynamodb();
let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(async () => {
  await services.stop();
});

const bodyOf = (...keys: string[]) => ({ files: keys.map((key) => ({ key })) });

/** A cast costs a cent, and a byte a hundredth of one. */
async function setUp(customerId: string, hardLimitCents: number) {
  const objects = createObjects(services.s3, services.config.BUCKET);
  const price = { centsPerCast: 1, centsPerByte: '0.01' };
  const api = await createCastApi(await database.newStore(), { objects, price });
  const { call } = await api.customer(customerId);
  await call('PUT', '/v1/budgets', { hardLimitCents });
  return { ...api, call };
}

describe('GA2 where bytes are priced', () => {
  test('GA2 sizes and ETags are fixed at the reservation, and the cents follow from them', async () => {
    const api = await setUp('cus_priced', 1000);
    await services.putFile('cus_priced', 'a', 'x'.repeat(1000));
    await services.putFile('cus_priced', 'b', 'y'.repeat(2050));
    const { status, body } = await api.call('POST', '/v1/cast', bodyOf('a', 'b'));
    // 1 + 30.5 cents, half up.
    expect([status, body['costCents']]).toEqual([202, 32]);
    const request = [...api.started.values()][0];
    expect(request?.cast).toMatchObject({
      cents: 32,
      versions: [
        { bytes: 1000, etag: expect.stringMatching(/./) as unknown },
        { bytes: 2050, etag: expect.stringMatching(/./) as unknown },
      ],
    });
    await api.run(String(body['processingId']), 3050);
    expect((await api.call('GET', '/v1/budgets')).body).toMatchObject({
      usedCents: 32,
      reservedCents: 0,
    });
  });

  test('GA1 GA2 the bytes decide what has room', async () => {
    const api = await setUp('cus_room', 10);
    await services.putFile('cus_room', 'a', 'x'.repeat(950));
    const { status, body } = await api.call('POST', '/v1/cast', bodyOf('a'));
    expect([status, body]).toMatchObject([402, { requestedCents: 11, limitCents: 10 }]);
  });

  test('a file that is not there is named, and nothing is set aside', async () => {
    const api = await setUp('cus_missing', 1000);
    const { status, body } = await api.call('POST', '/v1/cast', bodyOf('nothing'));
    expect([status, body]).toEqual([
      400,
      { error: 'invalid_request', message: '"nothing" does not exist' },
    ]);
    expect((await api.call('GET', '/v1/budgets')).body).toMatchObject({ reservedCents: 0 });
  });

  test('GA2 a file that changed since fails, and is not read; unchanged it is', async () => {
    const objects = createObjects(services.s3, services.config.BUCKET);
    await services.putFile('cus_changed', 'a', 'first!');
    const [version] = await objects.measureFiles('cus_changed', ['a']);
    const deps = { s3: services.s3, bucket: services.config.BUCKET, processor: gzipProcessor };
    const order = { processingId: 'cast-1', customerId: 'cus_changed', file: 'a' };
    const read = async () =>
      await processFile(
        deps,
        { ...order, ...(version === undefined ? {} : { version }) },
        new AbortController().signal,
        () => undefined,
      );
    expect(await read()).toMatchObject({ bytes: 6 });
    // Of the same size: its ETag alone tells.
    await services.putFile('cus_changed', 'a', 'second');
    await expect(read()).rejects.toMatchObject({
      type: 'FileUnreadable',
      nonRetryable: true,
      message: expect.stringContaining('was changed after the cast was priced') as unknown,
    });
  });

  test('POST /v1/files: an address takes one file, which is then cast', async () => {
    const api = await setUp('cus_upload', 1000);
    const { status, body } = await api.call('POST', '/v1/files', { key: 'new/report 1.csv' });
    expect([status, body['key']]).toEqual([201, 'new/report 1.csv']);
    const put = await fetch(String(body['url']), { method: 'PUT', body: 'x'.repeat(100) });
    expect(put.status).toBe(200);
    const cast = await api.call('POST', '/v1/cast', bodyOf('new/report 1.csv'));
    expect([cast.status, cast.body['costCents']]).toEqual([202, 2]);
    for (const key of ['../a', '/a', 'a/', '', 'service/input/cus_2/a']) {
      expect((await api.call('POST', '/v1/files', { key })).status).toBe(400);
    }
  });
});
