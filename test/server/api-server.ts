/**
 * The guarded API over real tables of the test's own. Every answer is held against the document: its
 * status must be one that the route tells of, and its body must fit.
 */
import { expect } from 'vitest';
import type { z } from 'zod';
import { createKey } from '../../operations/keys.ts';
import { hashApiKey } from '../../platform/api-keys.ts';
import { createKeyMemory } from '../../server/key-memory.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import type { Api } from './api-support.ts';
import { noApi, noLimit } from './api-support.ts';
import { documentSchema } from './openapi-schema.ts';
import type { ApiDocument } from './openapi-schema.ts';
import { bodyChecker } from './body-checker.ts';
import { adminToken } from './dead-letters-support.ts';
import { createTestApp } from './support.ts';

interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

export interface Caller {
  /** A key or the admin token; none at all when it is undefined. */
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export async function createApi(
  store: TableStore,
  {
    now = () => new Date(),
    limit = noLimit,
    door = {},
    ...changes
  }: Partial<Omit<Api, 'door'>> & {
    now?: () => Date;
    limit?: Api['door']['limit'];
    door?: Partial<Api['door']>;
  } = {},
) {
  const tables = openTables({ ...store, now });
  const doorOptions: Api['door'] = {
    adminToken,
    apiKeys: tables.apiKeys,
    memory: createKeyMemory(now),
    limit,
    now,
    ...door,
  };
  const { app, lines, requests, metrics } = createTestApp(
    {},
    {},
    {},
    {
      ...noApi,
      door: doorOptions,
      keys: { ...tables, now },
      budgets: { spending: tables.spending, now },
      customers: { ...tables, stripe: undefined, account: tables, plan: 'free', now },
      usage: { ...tables, averageOver: 'recorded-days', now },
      ...changes,
    },
  );
  const document = documentSchema.parse(await (await app.request('/openapi.json')).json());

  const as =
    (secret: string | undefined): Caller =>
    async (method, path, body, headers = {}) => {
      const answer = await app.request(path, {
        method,
        headers: {
          ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const value = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      checkAnswer(document, method, path, answer.status, text === '' ? undefined : value);
      return { status: answer.status, body: value, headers: answer.headers };
    };

  /** A customer with a key of its own. */
  const customer = async (customerId: string) => {
    const createdAt = now().toISOString();
    const facts = { customerId, plan: 'free', billingStatus: 'none' as const, createdAt };
    await tables.customers.add(facts);
    const { key, apiKey } = await createKey({ ...tables, now }, { customerId, scope: 'cast' });
    return { key, apiKey, call: as(key) };
  };
  const hashOf = (key: string): string => hashApiKey(key) ?? '';
  const operator = as(adminToken);
  return {
    app,
    tables,
    lines,
    requests,
    metrics,
    document,
    doorOptions,
    as,
    hashOf,
    operator,
    customer,
  };
}

function checkAnswer(
  document: ApiDocument,
  method: string,
  path: string,
  status: number,
  body: unknown,
): void {
  const operation = operationAt(document, method, path);
  if (operation === undefined) {
    expect([404, 405]).toContain(status);
    return;
  }
  const told = operation.responses[status];
  expect(
    told,
    `${method} ${path} answered ${status}, of which the document says nothing`,
  ).toBeDefined();
  const schema = told?.content['application/json']?.schema;
  expect(body === undefined, `${method} ${path} ${status}`).toBe(schema === undefined);
  if (schema === undefined) return;
  const check: z.ZodType = bodyChecker(schema, document);
  expect(check.safeParse(body).error).toBeUndefined();
}

/** The operation that a request meets: a path of the document, its parameters filled in. */
function operationAt(document: ApiDocument, method: string, address: string) {
  const [path = ''] = address.split('?');
  const verb = method.toLowerCase();
  const fits = ([pattern]: [string, unknown]) =>
    new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const entries = Object.entries(document.paths).filter(fits);
  const exact = entries.find(([pattern]) => pattern === path) ?? entries[0];
  return exact?.[1][verb as keyof (typeof exact)[1]];
}
