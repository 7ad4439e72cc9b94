import { z } from 'zod';

export const productSchema = z.object({
  id: z.string(),
  object: z.literal('product'),
  active: z.boolean(),
  created: z.number(),
  default_price: z.null(),
  description: z.string().nullable(),
  images: z.array(z.string()),
  livemode: z.literal(false),
  marketing_features: z.array(z.unknown()),
  metadata: z.record(z.string(), z.string()),
  name: z.string(),
  package_dimensions: z.null(),
  shippable: z.boolean().nullable(),
  statement_descriptor: z.string().nullable(),
  tax_code: z.string().nullable(),
  tax_details: z.null(),
  type: z.literal('service'),
  unit_label: z.string().nullable(),
  updated: z.number(),
  url: z.string().nullable(),
});
export type Product = z.infer<typeof productSchema>;
