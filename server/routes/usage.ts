/** `GET /v1/usage`: what a customer used, and what it comes to (GA15). */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { statementStates } from '../../domain/usage-statement.ts';
import { showUsage } from '../../operations/show-usage.ts';
import type { UsageDependencies, UsageShown } from '../../operations/show-usage.ts';
import { customerOf } from '../middleware/actor.ts';
import type { ActorEnv, Door } from '../middleware/actor.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { forCustomers, guarded, isoTime } from './guarded.ts';

const path = '/v1/usage';
const digits = (description: string) => z.string().openapi({ description, example: '1024' });
const records = z.number().int().openapi({ description: 'of the ledger' });
const meter = z.enum(['file_processed', 'storage-usage']);

const lineShape = z
  .strictObject({
    meter,
    name: z.string().openapi({ description: 'as the invoice names it' }),
    state: z.enum(statementStates).openapi({
      description:
        'delivered: Stripe has it, and its invoice will show this amount; waiting: not confirmed by ' +
        'Stripe yet; estimate: storage so far of a month that is not billed yet',
    }),
    records,
    quantity: digits('bytes'),
    amountCents: digits('what it adds to the lines before it of the same meter'),
  })
  .openapi('UsageLine');

const usageShape = z
  .strictObject({
    period: z
      .strictObject({
        kind: z.enum(['service', 'month']).openapi({
          description: 'service: the subscription’s own; month: a calendar month (UTC)',
        }),
        start: isoTime,
        end: z.string().openapi({ description: 'ISO 8601, UTC; not included' }),
        subscriptionId: z.string().optional(),
      })
      .openapi('UsagePeriod'),
    currency: z.literal('usd'),
    lines: z.array(lineShape),
    totalCents: digits('of all lines'),
    refused: z
      .array(z.strictObject({ meter, records, quantity: digits('bytes') }))
      .openapi({ description: 'usage that Stripe refused: on no invoice, and looked into' }),
    deliveriesWaiting: records,
    storage: z
      .array(
        z.strictObject({
          date: z.string(),
          bytes: digits('bytes'),
          files: z.number().int(),
          isBilled: z.boolean(),
        }),
      )
      .openapi({ description: 'days of the period that were measured' }),
    casts: z
      .strictObject({
        month: z.string().openapi({ description: 'the calendar month (UTC) that is counted' }),
        usedCents: z.number().int(),
        reservedCents: z.number().int().openapi({ description: 'set aside for casts under way' }),
      })
      .openapi('CastCents'),
  })
  .openapi('Usage');

const showRoute = createRoute({
  ...forCustomers,
  tags: ['Usage'],
  method: 'get',
  path,
  operationId: 'showUsage',
  summary: 'What was used, and what it comes to',
  description:
    'Of the current service period of a subscriber, else of the calendar month; of any other month with `month`.',
  request: {
    query: z.strictObject({
      month: z
        .string()
        .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month (YYYY-MM)')
        .optional()
        .openapi({ description: 'a calendar month (UTC)', example: '2026-11' }),
    }),
  },
  responses: {
    200: jsonAnswer('the usage', usageShape),
    ...failures({
      ...guarded,
      invalid_request: 'that is no month, or one that has not begun',
      conflict: 'a row of it was written wrongly by somebody',
    }),
  },
});

export function usageRoutes(deps: UsageDependencies, door: Door): OpenAPIHono<ActorEnv> {
  const routes = new OpenAPIHono<ActorEnv>();
  routes.use(path, door.customers);
  routes.openapi(showRoute, async (ctx) =>
    ctx.json(tell(await showUsage(deps, customerOf(ctx), ctx.req.valid('query').month)), 200),
  );
  return routes;
}

function tell({ period, statement, days, casts }: UsageShown): z.infer<typeof usageShape> {
  const { period: month, ...cents } = casts;
  return {
    period,
    currency: 'usd',
    ...statement,
    storage: days.map(({ date, totalStorageBytes, totalFileCount, billingStatus }) => ({
      date,
      bytes: totalStorageBytes,
      files: totalFileCount,
      isBilled: billingStatus === 'billed',
    })),
    casts: { month, ...cents },
  };
}
