const minuteMs = 60_000;

/**
 * Stripe's waits after each failed attempt in live mode, over about three days
 * (https://docs.stripe.com/webhooks#retries): soon at first, then every 12 hours.
 */
const waitsMs = [5, 30, 120, 300, 600].map((minutes) => minutes * minuteMs);
const laterMs = 720 * minuteMs;

/** How long Stripe waits after so many attempts; multiplied by the scale of the settings. */
export function retryDelayMs(attempts: number): number {
  return waitsMs[attempts - 1] ?? laterMs;
}
