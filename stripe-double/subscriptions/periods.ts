/** How long a price's period is. */
export type Interval = { interval: 'day' | 'week' | 'month' | 'year'; interval_count: number };

/**
 * The second at which the period that starts at `start` ends, in UTC. Months keep the day of
 * `anchor` where they have it, so that the 31st comes back after February, as at Stripe.
 */
export function periodEnd(start: number, anchor: number, every: Interval): number {
  const { interval, interval_count: count } = every;
  if (interval === 'day' || interval === 'week') {
    return start + count * (interval === 'day' ? 1 : 7) * 86_400;
  }
  const from = new Date(start * 1000);
  const month = from.getUTCMonth() + (interval === 'month' ? count : count * 12);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(new Date(anchor * 1000).getUTCDate(), lastDay);
  const time = (start % 86_400) * 1000;
  return Math.floor((Date.UTC(from.getUTCFullYear(), month, day) + time) / 1000);
}
