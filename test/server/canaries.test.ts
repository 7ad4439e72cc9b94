/**
 * I10: secrets and personal data that come in at the API go out nowhere. Each canary is sent in each place
 * where a caller may put a word; then all that was logged, answered and counted is searched for all of them.
 */
import { describe, expect, test } from 'vitest';
import { apiKeyRandomBytes, formatApiKey } from '../../domain/api-keys.ts';
import { hideSecrets } from '../../domain/hide-secrets.ts';
import { createLogger } from '../../platform/logger.ts';
import { useDynamodb } from '../tables/support.ts';
import { createApi } from './api-server.ts';
import { linesOf } from './support.ts';

const database = useDynamodb();
const token = 'operators-token-of-this-test';
const canaries = [
  formatApiKey(new Uint8Array(apiKeyRandomBytes).fill(7)),
  ['sk', 'live', 'canary51HexampleOfAKey'].join('_'),
  ['whsec', 'canaryOfAWebhook'].join('_'),
  '4242424242424242',
  '4000 0566 5566 5556',
  'anna.canary+1@example.com',
];

describe('I10 canaries', () => {
  test('I10 what is sent in headers, bodies, queries and paths is in no log, answer or metric', async () => {
    const api = await createApi(await database.newStore());
    const { key } = await api.customer('cus_1');
    const said: string[] = [];
    let sent = 0;
    const send = async (path: string, init: RequestInit): Promise<void> => {
      const answer = await api.app.request(path, init);
      sent += 1;
      said.push(JSON.stringify([...answer.headers]), await answer.text());
    };
    const headers = { authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    for (const canary of [...canaries, key]) {
      const word = encodeURIComponent(canary);
      await send('/v1/budgets', { headers: { authorization: `Bearer ${canary}x` } });
      await send('/v1/budgets', { headers: { ...headers, 'X-Request-Id': canary } });
      await send('/v1/budgets', { headers: { ...headers, Cookie: canary, 'User-Agent': canary } });
      await send(`/v1/casts?cursor=${word}&limit=${word}`, { headers });
      await send(`/v1/casts/${word}`, { headers });
      await send(`/v1/keys/${word}`, { headers, method: 'DELETE' });
      await send(`/${word}?key=${word}`, { headers });
      for (const body of [
        JSON.stringify({ [canary]: 1 }),
        JSON.stringify({ hardLimitCents: canary, period: canary }),
        `{"hardLimitCents": "${canary}`,
        canary,
      ]) {
        await send('/v1/budgets', { headers, method: 'PUT', body });
        await send('/v1/cast', {
          headers: { ...headers, 'Idempotency-Key': canary },
          method: 'POST',
          body,
        });
        await send('/webhooks/stripe', {
          headers: { 'stripe-signature': canary },
          method: 'POST',
          body,
        });
      }
    }
    expect(api.requests.length).toBeGreaterThanOrEqual(sent);
    const outside = [...api.lines, ...api.requests, ...said, await api.metrics.registry.metrics()];
    for (const canary of [...canaries, key]) {
      expect(outside.filter((text) => text.includes(canary))).toEqual([]);
      expect(outside.filter((text) => text.includes(encodeURIComponent(canary)))).toEqual([]);
    }
  });

  test('I10 one line a request: by the pattern of its route, and never by its address', async () => {
    const api = await createApi(await database.newStore());
    const one = await api.customer('cus_1');
    api.requests.length = 0;
    await one.call('GET', '/v1/casts/cast-00?limit=secret', undefined, {
      'X-Request-Id': 'call-1',
    });
    await api.as(undefined)('GET', '/v1/budgets', undefined, { 'X-Request-Id': 'call-2' });
    await api.app.request('/nothing/secret', { headers: { 'X-Request-Id': 'call-3' } });
    await api.app.request('/healthz');
    const told = api.requests.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      told.map(({ requestId, method, route, caller }) => [requestId, method, route, caller]),
    ).toEqual([
      ['call-1', 'GET', '/v1/casts/:processingId', 'cus_1'],
      ['call-2', 'GET', '/v1/budgets', undefined],
      ['call-3', 'GET', 'none', undefined],
    ]);
    expect(told.slice(1).map(({ status }) => status)).toEqual([401, 404]);
    for (const { ms } of told) expect(ms).toBeTypeOf('number');
    expect(api.requests.join('')).not.toContain('secret');
  });

  test('I10 what a library put into its words is hidden: by its form, and what is known by its value', () => {
    const { destination, lines } = linesOf();
    const logger = createLogger('server', 'info', destination, [token]);
    for (const canary of [...canaries, token]) {
      logger.error({ err: new Error(`refused ${canary}`), told: { deep: canary } }, canary);
    }
    expect(lines.length).toBe(canaries.length + 1);
    for (const canary of [...canaries, token]) expect(lines.join('')).not.toContain(canary);
  });

  test('what only looks like one stays: a key’s first characters, times, sizes, versions, other digits', () => {
    const plain =
      '{"time":"2026-11-26T12:00:00.000Z","prefix":"dbk_07Zab9Qx","bytes":4242424242424241,' +
      '"at":1764158400000000,"pkg":"vitest@4.1.12","id":"1b4e28ba-2fa1-4242-8242-424242424242"}';
    expect(hideSecrets(plain)).toBe(plain);
  });
});
