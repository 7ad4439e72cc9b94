import { z } from 'zod';

export const endpointSchema = z.object({
  id: z.string(),
  created: z.int(),
  description: z.string().nullable(),
  enabled_events: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  secret: z.string(),
  status: z.enum(['enabled', 'disabled']),
  url: z.string(),
  /** Whether thin events come here too. At Stripe that takes an event destination of its own. */
  thin: z.boolean(),
});
export type Endpoint = z.infer<typeof endpointSchema>;
