import type { Hono } from 'hono';
import { noSuch } from '../core/errors.ts';
import { newestFirst } from '../core/list.ts';
import { withoutUndefined } from '../core/params.ts';
import type { Double } from '../double.ts';
import { addEndpoint } from '../webhooks/endpoints.ts';
import { sendForged } from '../webhooks/forge.ts';
import { payloadOf } from '../webhooks/payload.ts';
import { shuffled } from '../webhooks/random.ts';
import type { Endpoint } from '../webhooks/schema.ts';
import { readBody } from './read-body.ts';
import type { ReleaseRequest } from './webhook-contract.ts';
import {
  deliveryQuerySchema,
  deliverySettingsRequestSchema,
  endpointRequestSchema,
  forgeRequestSchema,
  releaseRequestSchema,
  resendRequestSchema,
} from './webhook-contract.ts';

/** `/_double/webhooks`: how deliveries go, and what has become of them. */
export function addWebhooks(app: Hono, double: Double): void {
  const { account, deliverer } = double;
  app.get('/webhooks', (ctx) => ctx.json(deliverer.settings));
  app.put('/webhooks', async (ctx) => {
    const change = await readBody(ctx, deliverySettingsRequestSchema);
    deliverer.configure(withoutUndefined(change));
    return ctx.json(deliverer.settings);
  });
  app.post('/webhooks/endpoints', async (ctx) => {
    const wanted = await readBody(ctx, endpointRequestSchema);
    const { id, url, secret } = addEndpoint(account, wanted);
    return ctx.json({ id, url, secret }, 201);
  });
  app.get('/webhooks/deliveries', (ctx) => {
    const { limit, ...wanted } = deliveryQuerySchema.parse(ctx.req.query());
    const rows = newestFirst(account.deliveries.all(), (row) =>
      (['event', 'type', 'state'] as const).every(
        (name) => wanted[name] === undefined || row[name] === wanted[name],
      ),
    );
    return ctx.json(rows.slice(0, limit));
  });
  app.get('/webhooks/events', (ctx) => {
    const { snapshots, thin } = account.events;
    const all = [...snapshots.values(), ...thin.values()];
    const shown = all.map(({ id, type }) => ({
      id,
      type,
      undelivered: account.deliveries.undelivered(id),
    }));
    return ctx.json(shown);
  });
  addSending(app, double);
}

/** Sending at will: in an order, again, or what Stripe would not. */
function addSending(app: Hono, double: Double): void {
  const { account, activity, deliverer, store } = double;
  app.post('/webhooks/release', async (ctx) =>
    ctx.json(await release(double, await readBody(ctx, releaseRequestSchema))),
  );
  app.post('/webhooks/resend', async (ctx) => {
    const { event, copies, endpoint } = await readBody(ctx, resendRequestSchema);
    const known = knownEvent(double, event);
    const added = store.transaction(() =>
      endpointsOf(double, event, endpoint).flatMap((to) => deliverer.plan(known, to, copies)),
    );
    activity.changed();
    return ctx.json(added, 201);
  });
  app.post('/webhooks/forge', async (ctx) => {
    const { event, endpoint, ...forgery } = await readBody(ctx, forgeRequestSchema);
    knownEvent(double, event);
    const [to] = endpointsOf(double, event, endpoint);
    if (to === undefined) throw noSuch('webhook endpoint', endpoint ?? '', 'endpoint', 404);
    const payload = payloadOf(account, event) ?? '';
    return ctx.json(await sendForged(to, payload, forgery, deliverer.settings.timeoutMs));
  });
}

/** Sends what is pending one after another in the order wanted, also while delivery is paused. */
async function release(
  { account, deliverer }: Double,
  { events, order = 'as_made', seed = 1 }: ReleaseRequest,
) {
  const pending = [...account.deliveries.pending()];
  const chosen =
    events === undefined
      ? pending
      : events.flatMap((event) => pending.filter((delivery) => delivery.event === event));
  const ordered =
    order === 'shuffled'
      ? shuffled(chosen, seed)
      : order === 'reversed'
        ? chosen.reverse()
        : chosen;
  const attempts = [];
  for (const { id, event } of ordered) {
    const attempt = await deliverer.attempt(id);
    if (attempt !== undefined) attempts.push({ ...attempt, event, delivery: id });
  }
  return attempts;
}

function knownEvent({ account: { events } }: Double, id: string): { id: string; type: string } {
  const event = events.snapshots.get(id) ?? events.thin.get(id);
  if (event === undefined) throw noSuch('event', id, 'event', 404);
  return event;
}

/** The endpoint named, or those that had the event, or else all. */
function endpointsOf({ account }: Double, event: string, id: string | undefined): Endpoint[] {
  const all = [...account.endpoints.values()];
  if (id !== undefined) return all.filter((endpoint) => endpoint.id === id);
  const had = new Set<string>();
  for (const delivery of account.deliveries.all()) {
    if (delivery.event === event) had.add(delivery.endpoint);
  }
  const those = all.filter((endpoint) => had.has(endpoint.id));
  return those.length > 0 ? those : all;
}
