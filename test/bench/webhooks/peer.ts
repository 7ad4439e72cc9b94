/**
 * What a webhook receiver costs without ours, as a process: `verify` checks the signature and answers,
 * `signal` also signals the customer's workflow. Neither keeps the event.
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { eventLine, readEvent } from '../../../domain/stripe-events.ts';
import { createEngine } from '../../../engine/engine.ts';
import { parseConfig, readEnvironment } from '../../../platform/config.ts';
import { createTemporalClient } from '../../../platform/temporal.ts';
import { readRawBody } from '../../../server/raw-body.ts';
import { verifyStripeEvent } from '../../../server/stripe-signature.ts';
import { webhookSecret } from './options.ts';

const mostBodyBytes = 1024 * 1024;
const environment = readEnvironment();
const config = parseConfig(environment);
const temporal =
  process.argv[2] === 'signal' ? createTemporalClient(config, environment) : undefined;

const engine =
  temporal === undefined ? undefined : createEngine(temporal, { taskQueue: config.TASK_QUEUE });

const app = new Hono();
app.get('/healthz', (ctx) => ctx.text('ok'));
app.post('/webhooks/stripe', async (ctx) => {
  const body = await readRawBody(ctx, mostBodyBytes);
  const header = ctx.req.header('stripe-signature');
  const event = verifyStripeEvent(body, header, [webhookSecret], new Date());
  const facts = event === undefined ? undefined : readEvent(event);
  if (facts === undefined) return ctx.json({ error: 'invalid_request' }, 400);
  if (engine !== undefined) {
    const { eventId } = facts;
    // Workflows of its own: ours run beside it.
    await engine.announceEvent(`cus_peer_${eventLine(facts)}`, eventId);
  }
  return ctx.json({ outcome: 'accepted' });
});
const server = serve({ fetch: app.fetch, hostname: config.HOST, port: config.PORT });

process.once('SIGTERM', () => {
  server.close();
  process.exit();
});
