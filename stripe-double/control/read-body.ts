import type { Context } from 'hono';
import type { z } from 'zod';

/** A control call's JSON body, checked. */
export async function readBody<Output>(ctx: Context, schema: z.ZodType<Output>): Promise<Output> {
  return schema.parse(await ctx.req.json());
}
