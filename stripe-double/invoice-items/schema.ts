import { z } from 'zod';

export const invoiceItemSchema = z.object({
  id: z.string(),
  amount: z.int(),
  currency: z.string(),
  customer: z.string(),
  date: z.int(),
  description: z.string().nullable(),
  invoice: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  period: z.object({ start: z.int(), end: z.int() }),
  price: z.string().nullable(),
  quantity: z.int(),
  subscription: z.string().nullable(),
  unitAmount: z.string(),
});
export type InvoiceItem = z.infer<typeof invoiceItemSchema>;
