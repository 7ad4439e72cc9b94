import { z } from 'zod';

export const portalSessionSchema = z.object({
  id: z.string(),
  created: z.int(),
  customer: z.string(),
  returnUrl: z.string().nullable(),
});
