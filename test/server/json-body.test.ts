/** A body that does not say that it is JSON is refused, and never passed over with what it asks for (GA10). */
import { expect, test } from 'vitest';
import { useDynamodb } from '../tables/support.ts';
import { createApi } from './api-server.ts';
import { adminToken } from './dead-letters-support.ts';

const database = useDynamodb();

test('GA10 every route that takes a body takes JSON alone', async () => {
  const { app, document, customer } = await createApi(await database.newStore());
  const { key } = await customer('cus_1');
  const asked: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { 'x-who': who }] of Object.entries(methods)) {
      if (method === 'get' || method === 'delete' || !/customers|operators/.test(who)) continue;
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp']) {
        const secret = who.includes('customers') ? key : adminToken;
        const answer = await app.request(path.replaceAll(/\{\w+\}/g, 'some'), {
          method: method.toUpperCase(),
          headers: {
            authorization: `Bearer ${secret}`,
            'content-type': type,
            'content-length': '18',
          },
          body: '{"scope":"ingest"}',
        });
        const { error, message } = (await answer.json()) as Record<string, string>;
        expect([path, answer.status, error]).toEqual([path, 400, 'invalid_request']);
        expect(message).toBe('the body must be sent as application/json');
      }
      asked.push(path);
    }
  }
  expect(asked).toContain('/v1/dead-letters/redrive');
  expect(asked.length).toBeGreaterThanOrEqual(11);
});

test('GA6 a key is made without a body, with what is usual', async () => {
  const api = await createApi(await database.newStore());
  const { call } = await api.customer('cus_1');
  const made = await call('POST', '/v1/keys');
  expect([made.status, made.body['scope']]).toEqual([201, 'cast']);
  const rotated = await call('POST', `/v1/keys/${String(made.body['prefix'])}/rotate`);
  expect([rotated.status, rotated.body['scope']]).toEqual([201, 'cast']);
});
