/** Looks at where Stripe sends its events; changes nothing: an endpoint is a person's to make. */
import type Stripe from 'stripe';
import { judgeDestinations } from '../domain/webhook-endpoints.ts';
import type { Destination, EndpointProblem } from '../domain/webhook-endpoints.ts';

export async function inspectEndpoints(
  stripe: Stripe,
  publicUrl: string | undefined,
): Promise<EndpointProblem[]> {
  const found: Destination[] = [];
  for await (const endpoint of stripe.webhookEndpoints.list({ limit: 100 })) {
    found.push({
      id: endpoint.id,
      url: endpoint.url,
      isEnabled: endpoint.status === 'enabled',
      events: endpoint.enabled_events,
      payload: 'snapshot',
    });
  }
  // An address is shown to who asks for it only.
  const include = ['webhook_endpoint.url'];
  for await (const one of stripe.v2.core.eventDestinations.list({ include, limit: 20 })) {
    found.push({
      id: one.id,
      url: one.webhook_endpoint?.url ?? undefined,
      isEnabled: one.status === 'enabled',
      events: one.enabled_events,
      payload: one.event_payload === 'thin' ? 'thin' : 'snapshot',
    });
  }
  return judgeDestinations(found, publicUrl);
}
