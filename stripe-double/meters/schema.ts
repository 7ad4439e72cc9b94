import { z } from 'zod';

export const meterSchema = z.object({
  id: z.string(),
  object: z.literal('billing.meter'),
  created: z.number(),
  customer_mapping: z.object({ event_payload_key: z.string(), type: z.literal('by_id') }),
  default_aggregation: z.object({ formula: z.enum(['sum', 'count', 'last']) }),
  display_name: z.string(),
  event_name: z.string(),
  event_time_window: z.enum(['day', 'hour']).nullable(),
  livemode: z.literal(false),
  status: z.enum(['active', 'inactive']),
  status_transitions: z.object({ deactivated_at: z.number().nullable() }),
  updated: z.number(),
  value_settings: z.object({ event_payload_key: z.string() }),
});
export type Meter = z.infer<typeof meterSchema>;
