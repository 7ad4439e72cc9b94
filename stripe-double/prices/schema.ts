import { z } from 'zod';

export const priceSchema = z.object({
  id: z.string(),
  object: z.literal('price'),
  active: z.boolean(),
  billing_scheme: z.literal('per_unit'),
  created: z.number(),
  currency: z.string(),
  custom_unit_amount: z.null(),
  livemode: z.literal(false),
  lookup_key: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  nickname: z.string().nullable(),
  product: z.string(),
  recurring: z
    .object({
      interval: z.enum(['day', 'week', 'month', 'year']),
      interval_count: z.number(),
      meter: z.string().nullable(),
      trial_period_days: z.null(),
      usage_type: z.enum(['licensed', 'metered']),
    })
    .nullable(),
  tax_behavior: z.string(),
  tiers_mode: z.null(),
  transform_quantity: z.object({ divide_by: z.number(), round: z.enum(['up', 'down']) }).nullable(),
  type: z.enum(['one_time', 'recurring']),
  unit_amount: z.number().nullable(),
  unit_amount_decimal: z.string(),
});
export type Price = z.infer<typeof priceSchema>;
