import { z } from 'zod';

export const chargeSchema = z.object({
  id: z.string(),
  amount: z.int(),
  amountRefunded: z.int().default(0),
  created: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  description: z.string().nullable(),
  disputed: z.boolean().default(false),
  failure: z.object({ code: z.string(), declineCode: z.string(), message: z.string() }).nullable(),
  metadata: z.record(z.string(), z.string()),
  paymentIntent: z.string(),
  paymentMethod: z.string(),
});
export type Charge = z.infer<typeof chargeSchema>;
