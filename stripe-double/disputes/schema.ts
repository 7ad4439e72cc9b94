import { z } from 'zod';

export const disputeStatuses = [
  'lost',
  'needs_response',
  'under_review',
  'warning_closed',
  'warning_needs_response',
  'warning_under_review',
  'won',
] as const;

export const disputeSchema = z.object({
  id: z.string(),
  amount: z.int(),
  charge: z.string(),
  created: z.int(),
  currency: z.string(),
  paymentIntent: z.string(),
  reason: z.string(),
  status: z.enum(disputeStatuses),
});
export type Dispute = z.infer<typeof disputeSchema>;
