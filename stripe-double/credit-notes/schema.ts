import { z } from 'zod';

export const creditNoteSchema = z.object({
  id: z.string(),
  amount: z.int(),
  created: z.int(),
  currency: z.string(),
  customer: z.string(),
  invoice: z.string(),
  memo: z.string().nullable(),
});
export type CreditNote = z.infer<typeof creditNoteSchema>;
