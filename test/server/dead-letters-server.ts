/** The server over real tables of the test's own; its workflows are functions that do their work at once. */
import { serve } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { onTestFinished } from 'vitest';
import type { DeadLetterKind } from '../../domain/dead-letters.ts';
import type { AppDependencies } from '../../server/app.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import { withOperator } from './api-support.ts';
import { adminToken, asAdmin, notInThisTest } from './dead-letters-support.ts';
import { createTestApp } from './support.ts';
import { newLetter } from '../support/dead-letters.ts';

export const at = (second: number): string =>
  new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();

type Temporal = AppDependencies['deadLetters']['temporal'];
type Connected = ReturnType<Temporal['connect']>;

export interface Changes {
  adminToken?: string | undefined;
  ask?: Temporal['ask'];
  connected?: Partial<Connected>;
  now?: () => Date;
}

export function createServer(store: TableStore, changes: Changes = {}) {
  const tables = openTables(store);
  const announced: string[] = [];
  const connected: Connected = {
    announce: async ({ identifier }) => {
      await Promise.resolve(announced.push(identifier));
    },
    announceEvent: async (_line, eventId) => {
      announced.push(eventId);
      await tables.webhookEvents.settle(eventId, 'applied');
    },
    measureDay: async ({ customerId, day }) => {
      await Promise.resolve(announced.push(`${customerId}/${day}`));
      return false;
    },
    startBill: notInThisTest,
    waitUntil: async (isOver) => await isOver(),
    ...changes.connected,
  };
  const { app, lines } = createTestApp(
    {},
    {},
    {
      tables,
      temporal: {
        ask:
          changes.ask ??
          (async () => {
            await Promise.resolve();
          }),
        connect: () => connected,
      },
      now: changes.now ?? (() => new Date(at(50))),
    },
    withOperator('adminToken' in changes ? changes.adminToken : adminToken),
  );
  return { app, tables, announced, lines };
}

type Tables = ReturnType<typeof createServer>['tables'];

/** Usage that Stripe refused, with its dead letter. */
export async function layUsageAside(
  { ledger, deadLetters }: Tables,
  identifier: string,
  second = 1,
): Promise<string> {
  const source = { kind: 'processing', id: identifier } as const;
  const usage = { identifier, customerId: 'cus_1', meter: 'file_processed' as const };
  await ledger.record({ ...usage, quantity: '5', occurredAt: at(0), source }, at(0));
  await ledger.claim(identifier, at(second));
  const id = await openLetter({ deadLetters }, 'usage-rejected', identifier, second);
  await ledger.layAside(identifier, 'rejected', 'no such customer', at(second));
  return id;
}

/** An event that could not be applied, with its dead letter. */
export async function layEventAside(tables: Tables, eventId: string, second = 1): Promise<string> {
  const facts = { eventId, type: 'invoice.paid', createdAt: at(0), customerId: 'cus_1' };
  await tables.webhookEvents.put({ ...facts, livemode: false, thin: false }, 'received', undefined);
  await tables.webhookEvents.settle(eventId, 'dead', 'no luck');
  return await openLetter(tables, 'webhook-event', eventId, second);
}

export async function openLetter(
  { deadLetters }: Pick<Tables, 'deadLetters'>,
  kind: DeadLetterKind,
  about: string,
  second = 1,
): Promise<string> {
  const letter = newLetter(kind, about, { error: 'no luck', attempts: 3, record: { a: 1 } });
  await deadLetters.open(letter, at(second));
  return letter.id;
}

interface Answer {
  status: number;
  body: unknown;
  headers: Headers;
}
export type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** As the operator, straight into the application. */
export function inProcess(app: OpenAPIHono): Call {
  return async (method, path, body) => await read(await app.request(path, request(method, body)));
}

/** As the operator, over a socket. */
export async function overSocket(app: OpenAPIHono): Promise<Call> {
  const address = await listen(app);
  return async (method, path, body) =>
    await read(await fetch(`${address}${path}`, request(method, body)));
}

export async function listen(app: OpenAPIHono): Promise<string> {
  return await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      resolve(`http://127.0.0.1:${port}`);
    });
    onTestFinished(async () => {
      await new Promise((closed) => server.close(closed));
    });
  });
}

function request(method: string, body: unknown): RequestInit {
  if (body === undefined) return { method, headers: asAdmin };
  const headers = { ...asAdmin, 'Content-Type': 'application/json' };
  return { method, headers, body: JSON.stringify(body) };
}

async function read(answer: Response): Promise<Answer> {
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}
