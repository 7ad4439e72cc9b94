import { z } from 'zod';

export const paymentMethodSchema = z.object({
  id: z.string(),
  /** Which of Stripe's test cards it is. */
  token: z.string(),
  created: z.int(),
  customer: z.string().nullable(),
});
export type PaymentMethod = z.infer<typeof paymentMethodSchema>;
