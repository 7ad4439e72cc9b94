/** Usage that Stripe took and refused later (WH9): its records become `rejected`, with the reason. */
import type Stripe from 'stripe';
import type { Dependencies } from './dependencies.ts';
import { refuseDelivered } from './settle-usage.ts';

interface Report {
  reason?: {
    error_types?: {
      code?: string;
      sample_errors?: { error_message?: string; request?: { identifier?: string } }[];
    }[];
  };
}

/** The event is thin: its report is fetched. It names samples only, the rest is in Stripe's dashboard. */
export async function rejectReported(
  deps: Dependencies,
  stripe: Stripe,
  eventId: string,
): Promise<void> {
  const event = await stripe.v2.core.events.retrieve(eventId);
  const { reason } = (event as unknown as { data?: Report }).data ?? {};
  for (const { code = 'refused', sample_errors: samples = [] } of reason?.error_types ?? []) {
    for (const { error_message: message = '', request } of samples) {
      const record =
        request?.identifier === undefined ? undefined : await deps.ledger.get(request.identifier);
      if (record === undefined) continue;
      await refuseDelivered(deps, record, `Stripe refused it later: ${code} ${message}`.trim());
    }
  }
}
