/** `POST /webhooks/stripe` and, for those who keep Stripe's partner event source, `/webhooks/eventbridge`. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { BillingError } from '../../domain/errors.ts';
import { isBearer } from '../bearer.ts';
import { failures, jsonAnswer } from '../openapi.ts';
import { readRawBody } from '../raw-body.ts';
import { receiveEvent } from '../receive-event.ts';
import type { EventReceiver } from '../receive-event.ts';
import { verifyStripeEvent } from '../stripe-signature.ts';

export interface WebhookOptions {
  receiver: EventReceiver;
  stripeSecrets: readonly string[];
  eventBridgeSecret: string | undefined;
  now: () => Date;
}

const mostBodyBytes = 1024 * 1024;

const outcome = z
  .strictObject({ outcome: z.enum(['accepted', 'duplicate', 'ignored']) })
  .openapi('Outcome');

/**
 * Bodies are told as plain JSON schemas. A zod schema here would make the library read and parse the
 * body before the handler, and signatures are made on the raw bytes (WH1).
 */
const rawBody = (schema: object) => ({
  required: true,
  content: { 'application/json': { schema } },
});

const eventReference = { $ref: '#/components/schemas/StripeEvent' };

const taken = jsonAnswer(
  'the event is in the inbox and, unless ignored, its workflow was told',
  outcome,
);

const stripeRoute = createRoute({
  method: 'post',
  path: '/webhooks/stripe',
  operationId: 'receiveStripeEvent',
  tags: ['Webhooks'],
  summary: 'An event of either kind, signed',
  description: 'The signature holds for the raw bytes, under any secret of STRIPE_WEBHOOK_SECRET.',
  'x-who': 'Stripe',
  security: [{ stripeSignature: [] }],
  request: { body: rawBody(eventReference) },
  responses: {
    200: taken,
    ...failures({
      invalid_request:
        'the signature is missing, wrong, or over 300 s old or ahead; no Stripe event; or one of the other mode (test, live)',
      too_large: 'the body is over 1 MiB',
      internal: 'the inbox could not be written: Stripe comes again',
      billing_disabled: 'no STRIPE_WEBHOOK_SECRET is set',
      unavailable: 'Temporal does not answer: Stripe comes again',
    }),
  },
});

const eventBridgeRoute = createRoute({
  method: 'post',
  path: '/webhooks/eventbridge',
  operationId: 'receiveEventBridgeEvent',
  tags: ['Webhooks'],
  summary: 'The same by Amazon EventBridge: `detail` holds the event',
  'x-who': 'EventBridge',
  security: [{ eventBridgeSecret: [] }],
  request: {
    body: rawBody({
      type: 'object',
      required: ['detail'],
      properties: { detail: eventReference },
    }),
  },
  responses: {
    200: taken,
    ...failures({
      invalid_request: '`detail` is no Stripe event, or one of the other mode (test, live)',
      unauthorized: 'the shared secret is missing or wrong',
      too_large: 'the body is over 1 MiB',
      internal: 'the inbox could not be written: EventBridge comes again',
      billing_disabled: 'no EVENTBRIDGE_SECRET is set',
      unavailable: 'Temporal does not answer: EventBridge comes again',
    }),
  },
});

/** Tells the document what the routes' definitions only name. */
function describeParts({ openAPIRegistry }: OpenAPIHono): void {
  openAPIRegistry.registerComponent('schemas', 'StripeEvent', {
    type: 'object',
    description: 'As far as it is read here; Stripe sends more.',
    required: ['id', 'object', 'type', 'livemode', 'created'],
    properties: {
      id: { type: 'string', pattern: '^evt_[A-Za-z0-9_]{1,200}$' },
      object: { type: 'string', enum: ['event', 'v2.core.event'] },
      type: { type: 'string', maxLength: 200 },
      livemode: { type: 'boolean' },
      created: {
        type: ['integer', 'string'],
        description: 'Unix seconds, or RFC 3339 in a thin event',
      },
    },
  });
  openAPIRegistry.registerComponent('securitySchemes', 'stripeSignature', {
    type: 'apiKey',
    in: 'header',
    name: 'Stripe-Signature',
    description: 'made by Stripe with the endpoint’s secret',
  });
  openAPIRegistry.registerComponent('securitySchemes', 'eventBridgeSecret', {
    type: 'http',
    scheme: 'bearer',
    description: 'EVENTBRIDGE_SECRET',
  });
}

/** Both doors into the inbox: each checks who knocks, and reads the body raw. */
export function webhookRoutes(options: WebhookOptions): OpenAPIHono {
  const { receiver, stripeSecrets, eventBridgeSecret, now } = options;
  const routes = new OpenAPIHono();
  describeParts(routes);

  routes.openapi(stripeRoute, async (ctx) => {
    if (stripeSecrets.length === 0) {
      throw new BillingError('billing_disabled', 'no STRIPE_WEBHOOK_SECRET is set');
    }
    const body = await readRawBody(ctx, mostBodyBytes);
    const header = ctx.req.header('stripe-signature');
    const event = verifyStripeEvent(body, header, stripeSecrets, now());
    if (event === undefined) {
      receiver.metrics.webhooks.inc({ type: 'other', outcome: 'bad_signature' });
      throw new BillingError('invalid_request', 'the signature is missing, wrong or stale');
    }
    return ctx.json(await receiveEvent(receiver, event), 200);
  });

  routes.openapi(eventBridgeRoute, async (ctx) => {
    if (eventBridgeSecret === undefined) {
      throw new BillingError('billing_disabled', 'no EVENTBRIDGE_SECRET is set');
    }
    if (!isBearer(ctx.req.header('authorization'), eventBridgeSecret)) {
      receiver.metrics.webhooks.inc({ type: 'other', outcome: 'unauthorized' });
      throw new BillingError('unauthorized', 'the shared secret is missing or wrong');
    }
    const body = await readRawBody(ctx, mostBodyBytes);
    return ctx.json(await receiveEvent(receiver, detailOf(body)), 200);
  });

  return routes;
}

/** EventBridge wraps Stripe's event: `detail` holds it. */
function detailOf(body: Buffer): unknown {
  try {
    const envelope: unknown = JSON.parse(body.toString('utf8'));
    if (typeof envelope === 'object' && envelope !== null && 'detail' in envelope) {
      return envelope.detail;
    }
  } catch {
    // Not JSON: refused below like anything else that is no event.
  }
  return undefined;
}
