import { z } from 'zod';
import { integer } from './params.ts';

const bounds = z.strictObject({
  gt: integer.optional(),
  gte: integer.optional(),
  lt: integer.optional(),
  lte: integer.optional(),
});

/** A list's `created`: a second, or a range of seconds. */
export const timeRange = z.union([integer, bounds]).optional();

/** Whether a second lies in a range; every second lies in an absent one. */
export function isWithin(seconds: number, range: z.infer<typeof timeRange>): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return seconds === range;
  return (
    seconds > (range.gt ?? -Infinity) &&
    seconds >= (range.gte ?? -Infinity) &&
    seconds < (range.lt ?? Infinity) &&
    seconds <= (range.lte ?? Infinity)
  );
}
