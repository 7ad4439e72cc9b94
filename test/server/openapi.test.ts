import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../platform/metrics.ts';
import { BillingError } from '../../domain/errors.ts';
import { asCustomer, withOperator } from './api-support.ts';
import { adminToken, asAdmin, someDeadLetters } from './dead-letters-support.ts';
import { bodyChecker } from './body-checker.ts';
import { documentSchema, reference } from './openapi-schema.ts';
import type { ApiDocument } from './openapi-schema.ts';
import { createTestApp } from './support.ts';

type Method = 'get' | 'post';

async function readDocument(): Promise<ApiDocument> {
  const answer = await createTestApp().app.request('/openapi.json');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('Content-Type')).toBe('application/json');
  return documentSchema.parse(await answer.json());
}

const operationsOf = ({ paths }: ApiDocument) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => ({ method, path, told })),
  );

/** Every `$ref` in there. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = reference.safeParse(value);
  return own.success ? [own.data.$ref] : Object.values(value).flatMap(referencesIn);
}

describe('GET /openapi.json', () => {
  test('every registered route is in the document, and the other way round', async () => {
    const told = operationsOf(await readDocument()).map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    const registered = createTestApp()
      .app.routes.filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path}`);
    expect(told.toSorted()).toEqual([...new Set(registered)].toSorted());
    expect(told).toContain('POST /webhooks/stripe');
  });

  test('names are unique, what is referred to is there, and all that is there is used', async () => {
    const document = await readDocument();
    const operations = operationsOf(document).map(({ told }) => told);
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids).toEqual([...new Set(ids)]);
    const { schemas, securitySchemes } = document.components;
    const shapes = new Set(referencesIn(document).map((ref) => ref.split('/').slice(1).join('/')));
    expect([...shapes].toSorted()).toEqual(
      Object.keys(schemas)
        .map((name) => `components/schemas/${name}`)
        .toSorted(),
    );
    const needs = operations.flatMap(({ security = [] }) => security.flatMap(Object.keys));
    expect([...new Set(needs)].toSorted()).toEqual(Object.keys(securitySchemes).toSorted());
    const groups = new Set(operations.flatMap(({ tags }) => tags));
    expect([...groups].toSorted()).toEqual(document.tags.map(({ name }) => name).toSorted());
  });

  test('every error of 4xx and 5xx is of the shape that all share', async () => {
    const { paths, ...rest } = await readDocument();
    const failures = operationsOf({ paths, ...rest }).flatMap(({ path, told }) =>
      Object.entries(told.responses)
        // A cast over its budget tells figures besides (GA1).
        .filter(([status]) => Number(status) >= 400 && path !== '/readyz' && status !== '402')
        .map(([, answer]) => answer.content),
    );
    expect(failures.length).toBeGreaterThan(8);
    for (const failure of failures) {
      expect(failure).toEqual({
        'application/json': { schema: { $ref: '#/components/schemas/Error' } },
      });
    }
  });
});

const secret = 'whsec_documented';
const shared = 'eventbridge-documented';
const nothing = async (): Promise<void> => await Promise.resolve();
const fails = async (): Promise<never> => await Promise.reject(new Error('ECONNREFUSED'));

interface Circumstances {
  isConfigured?: boolean;
  inbox?: () => Promise<{ isNew: boolean; waits: boolean }>;
  announce?: () => Promise<void>;
  probe?: () => Promise<void>;
  letters?: () => Promise<never>;
  temporal?: () => Promise<void>;
}

/** The server under such circumstances: its inbox takes everything unless told otherwise. */
function serverWhere(given: Circumstances) {
  const { isConfigured = true, announce = nothing, probe = nothing } = given;
  const taken = { isNew: true, waits: true };
  const takeIn = given.inbox ?? (async () => await Promise.resolve(taken));
  const { letters, temporal } = given;
  const { tables, temporal: engine } = someDeadLetters;
  const broken = letters && { get: letters, close: letters, reopen: letters, page: letters };
  return createTestApp(
    { tables: probe },
    {
      stripeSecrets: isConfigured ? [secret] : [],
      eventBridgeSecret: isConfigured ? shared : undefined,
      receiver: {
        webhookEvents: { takeIn },
        announceEvent: announce,
        metrics: createMetrics(),
        livemode: false,
      },
    },
    {
      ...someDeadLetters,
      tables: { ...tables, ...(broken && { deadLetters: broken }) },
      temporal: { ...engine, ...(temporal && { ask: temporal }) },
    },
    withOperator(isConfigured ? adminToken : undefined),
  ).app;
}

const event = JSON.stringify({
  id: 'evt_1',
  object: 'event',
  type: 'invoice.paid',
  livemode: false,
  created: Math.floor(Date.now() / 1000),
  data: { object: { id: 'in_1', object: 'invoice', customer: 'cus_1' } },
});
const toStripe = (payload = event): RequestInit => ({
  method: 'POST',
  body: payload,
  headers: {
    'Content-Type': 'application/json',
    'Stripe-Signature': Stripe.webhooks.generateTestHeaderString({ payload, secret }),
  },
});
const toEventBridge = (body = `{"detail":${event}}`, authorization = `Bearer ${shared}`) => ({
  method: 'POST',
  body,
  headers: { 'Content-Type': 'application/json', authorization },
});
const huge = ' '.repeat(1024 * 1024 + 1);

/** `address` where the path is a pattern. */
type Request = RequestInit & { address?: string };
type Case = [path: string, status: number, given: Circumstances, request: Request];

const letters = '/v1/dead-letters';
const list = (query = ''): Request => ({ headers: asAdmin, address: `${letters}${query}` });
const one = (id: string, rest: Request = {}): Request => {
  return { headers: asAdmin, ...rest, address: `${letters}/${encodeURIComponent(id)}` };
};
const act = (verb: string, id: string | undefined, rest: Request = {}): Request => {
  const at = id === undefined ? '' : `/${encodeURIComponent(id)}`;
  return { method: 'POST', headers: asAdmin, ...rest, address: `${letters}${at}/${verb}` };
};
const redriving = (id: string, rest?: Request) => act('redrive', id, rest);
const sending = (body: string): Request => ({
  body,
  headers: { ...asAdmin, 'Content-Type': 'application/json' },
});
const discarding = (id: string, body = '{"reason":"a test"}', rest: Request = {}) =>
  act('discard', id, { ...sending(body), ...rest });
const stranger: Request = { headers: {} };
const customer: Request = { headers: asCustomer };
const [parked, event1, closed] = ['usage-parked/use1', 'webhook-event/evt_1', 'usage-parked/gone'];
const [no, long, off] = ['usage-parked/no', 'x'.repeat(2049), { isConfigured: false }];
const show = `${letters}/{id}`;
const [redriveOne, discardOne, redriveOpen] = [
  `${letters}/{id}/redrive`,
  `${letters}/{id}/discard`,
  `${letters}/redrive`,
];
const away = async (): Promise<never> =>
  await Promise.reject(new BillingError('unavailable', 'away'));

const cases: Case[] = [
  ['/', 200, {}, {}],
  ['/healthz', 200, {}, {}],
  ['/readyz', 200, {}, {}],
  ['/readyz', 503, { probe: fails }, {}],
  ['/metrics', 200, {}, {}],
  ['/openapi.json', 200, {}, {}],
  ['/docs', 200, {}, {}],
  ['/docs/try', 200, {}, {}],
  ['/docs/try/start.js', 200, {}, {}],
  ['/docs/try/swagger-ui-bundle.js', 200, {}, {}],
  ['/docs/try/swagger-ui.css', 200, {}, {}],
  ['/webhooks/stripe', 200, {}, toStripe()],
  ['/webhooks/stripe', 400, {}, toStripe('[]')],
  ['/webhooks/stripe', 400, {}, { method: 'POST', body: event }],
  ['/webhooks/stripe', 413, {}, toStripe(huge)],
  ['/webhooks/stripe', 500, { inbox: fails }, toStripe()],
  ['/webhooks/stripe', 503, { announce: fails }, toStripe()],
  ['/webhooks/stripe', 503, { isConfigured: false }, toStripe()],
  ['/webhooks/eventbridge', 200, {}, toEventBridge()],
  ['/webhooks/eventbridge', 400, {}, toEventBridge('no JSON')],
  ['/webhooks/eventbridge', 401, {}, toEventBridge(event, 'Bearer other')],
  ['/webhooks/eventbridge', 413, {}, toEventBridge(huge)],
  ['/webhooks/eventbridge', 500, { inbox: fails }, toEventBridge()],
  ['/webhooks/eventbridge', 503, { announce: fails }, toEventBridge()],
  ['/webhooks/eventbridge', 503, { isConfigured: false }, toEventBridge()],
  [letters, 200, {}, list()],
  [letters, 400, {}, list('?limit=0')],
  [letters, 401, {}, stranger],
  [letters, 403, {}, customer],
  [letters, 500, { letters: fails }, list()],
  [letters, 503, off, list()],
  [show, 200, {}, one(parked)],
  [show, 400, {}, one(long)],
  [show, 401, {}, one(parked, stranger)],
  [show, 403, {}, one(parked, customer)],
  [show, 404, {}, one(no)],
  [show, 500, { letters: fails }, one(parked)],
  [show, 503, off, one(parked)],
  [redriveOne, 200, {}, redriving(parked)],
  [redriveOne, 202, {}, redriving(event1)],
  [redriveOne, 400, {}, redriving(long)],
  [redriveOne, 401, {}, redriving(parked, stranger)],
  [redriveOne, 403, {}, redriving(parked, customer)],
  [redriveOne, 404, {}, redriving(no)],
  [redriveOne, 409, {}, redriving(closed)],
  [redriveOne, 500, { letters: fails }, redriving(parked)],
  [redriveOne, 503, off, redriving(parked)],
  [redriveOne, 503, { temporal: away }, redriving(parked)],
  [discardOne, 200, {}, discarding(parked)],
  [discardOne, 400, {}, discarding(parked, '{}')],
  [discardOne, 401, {}, discarding(parked, '{}', stranger)],
  [discardOne, 403, {}, discarding(parked, '{}', customer)],
  [discardOne, 404, {}, discarding(no)],
  [discardOne, 409, {}, discarding(closed)],
  [discardOne, 413, {}, discarding(parked, huge)],
  [discardOne, 500, { letters: fails }, discarding(parked)],
  [discardOne, 503, off, discarding(parked)],
  [redriveOpen, 200, {}, act('redrive', undefined)],
  [redriveOpen, 200, {}, act('redrive', undefined, sending('{"kind":"usage-parked"}'))],
  [redriveOpen, 400, {}, act('redrive', undefined, sending('{"kind":"other"}'))],
  [redriveOpen, 401, {}, act('redrive', undefined, stranger)],
  [redriveOpen, 403, {}, act('redrive', undefined, customer)],
  [redriveOpen, 413, {}, act('redrive', undefined, sending(huge))],
  [redriveOpen, 500, { letters: fails }, act('redrive', undefined)],
  [redriveOpen, 503, off, act('redrive', undefined)],
  [redriveOpen, 503, { temporal: away }, act('redrive', undefined)],
];

/** Their answers are held against the document where they are tested, over real tables (`api-*.test.ts`). */
const guardedApi = new Set(['Keys', 'Budgets', 'Casts', 'Usage', 'Billing', 'Customers']);

describe('answers fit what the document says of them', () => {
  test.each(cases)('%s: %i', async (path, status, given, request) => {
    const answer = await serverWhere(given).request(request.address ?? path, request);
    expect(answer.status).toBe(status);
    const document = await readDocument();
    const method: Method = request.method === 'POST' ? 'post' : 'get';
    const told = document.paths[path]?.[method]?.responses[status]?.content ?? {};
    const [type = 'none'] = (answer.headers.get('Content-Type') ?? '').split(';');
    expect(Object.keys(told)).toEqual([type]);
    const body = await answer.text();
    const value: unknown = type === 'application/json' ? JSON.parse(body) : body;
    const check = bodyChecker(told[type]?.schema ?? {}, document);
    expect(check.safeParse(value).error).toBeUndefined();
    expect(check.safeParse({ stack: 'inside' }).success).toBe(false);
  });

  test('every answer of the document has its case, but for metrics that cannot be read', async () => {
    const told = operationsOf(await readDocument())
      .filter(({ told: { tags } }) => !tags.some((tag) => guardedApi.has(tag)))
      .flatMap(({ path, told: { responses } }) =>
        Object.keys(responses).map((status) => `${path} ${status}`),
      );
    const proven = new Set(cases.map(([path, status]) => `${path} ${status}`));
    expect(told.filter((answer) => !proven.has(answer))).toEqual(['/metrics 500']);
  });

  test('the event that we take is one by the document', async () => {
    const document = await readDocument();
    for (const [path, body] of [
      ['/webhooks/stripe', event],
      ['/webhooks/eventbridge', `{"detail":${event}}`],
    ] as const) {
      const schema = document.paths[path]?.post?.requestBody?.content['application/json']?.schema;
      const check = bodyChecker(schema ?? {}, document);
      expect(check.safeParse(JSON.parse(body)).error).toBeUndefined();
      expect(check.safeParse({}).success).toBe(false);
    }
  });
});

describe('webhook bodies stay raw', () => {
  test.each([undefined, 'application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    'WH1 sent as %s, spaces and order of the signed bytes count',
    async (type) => {
      const payload = `  ${event}\n`;
      const { headers, ...rest } = toStripe(payload);
      const signature = new Headers(headers).get('Stripe-Signature') ?? '';
      const send = async (body: string) =>
        await serverWhere({}).request('/webhooks/stripe', {
          ...rest,
          body,
          headers: {
            'Stripe-Signature': signature,
            ...(type === undefined ? {} : { 'Content-Type': type }),
          },
        });
      expect((await send(payload)).status).toBe(200);
      expect((await send(event)).status).toBe(400);
    },
  );
});
