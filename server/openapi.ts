/** What the definitions of routes share: the document's head, the shape of answers and of errors. */
import { z } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { statuses } from './errors.ts';
import type { ErrorCode } from './errors.ts';

export type ApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

/** The document's head; the rest of it comes from the routes. */
export const about: Parameters<OpenAPIHono['getOpenAPI31Document']>[0] = {
  openapi: '3.1.0',
  info: {
    title: 'Durabill',
    version: '1',
    description:
      'Bills customers for what they use. Every answer carries X-Request-Id, which names the request in the logs.',
  },
  tags: [
    { name: 'Operation', description: 'Is it alive, is it ready, how is it doing.' },
    { name: 'Webhooks', description: 'Events from Stripe, by either way.' },
    { name: 'Keys', description: 'Of the guarded API; each is shown once, and kept hashed.' },
    { name: 'Budgets', description: 'What a customer may spend in a calendar month (UTC).' },
    { name: 'Casts', description: 'Runs over a customer’s files, within its budget.' },
    { name: 'Usage', description: 'What a customer used, by the ledger, and what it comes to.' },
    { name: 'Customers', description: 'Who is billed; known by their Stripe customer id.' },
    { name: 'Billing', description: 'What a customer pays by, and whether it is paid; at Stripe.' },
    { name: 'Dead letters', description: 'Work laid aside for a person; never dropped.' },
    { name: 'Documentation', description: 'What you read.' },
  ],
};

/** How a caller shows who it is. */
export const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'a customer’s key, `dbk_…`' },
  adminToken: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN' },
} as const;

const errorCodes = Object.keys(statuses) as [ErrorCode, ...ErrorCode[]];

/** The body of every error (`errors.ts` writes it). */
export const errorSchema = z
  .strictObject({
    error: z.enum(errorCodes).openapi({ description: 'for machines' }),
    message: z.string().openapi({ description: 'for a person' }),
  })
  .openapi('Error');

/** An answer in JSON. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

type Failure = ReturnType<typeof jsonAnswer<typeof errorSchema>>;

/** The errors that a route may answer, each code with its reason, under the status of its code. */
export function failures<Code extends ErrorCode>(
  reasons: Readonly<Record<Code, string>>,
): Record<(typeof statuses)[Code], Failure> {
  const byStatus: Partial<Record<number, string>> = {};
  for (const [code, reason] of Object.entries(reasons) as [Code, string][]) {
    const status = statuses[code];
    const before = byStatus[status];
    byStatus[status] = `${before === undefined ? '' : `${before}; `}${code}: ${reason}`;
  }
  const entries = Object.entries(byStatus).map(([status, description = '']) => {
    return [status, jsonAnswer(description, errorSchema)] as const;
  });
  return Object.fromEntries(entries) as Record<(typeof statuses)[Code], Failure>;
}

/** An answer without a body. */
export function noBody(description: string) {
  return { description };
}
