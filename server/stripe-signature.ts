/** Stripe's webhook signature, on the raw bytes, with every secret that is configured (WH1). */
import Stripe from 'stripe';

/** Seconds that an event's timestamp may be old, or ahead: the SDK refuses old ones only. */
const toleranceSeconds = 300;

/** Parsed by the SDK once its signature held; undefined when it does not hold under any secret. */
export function verifyStripeEvent(
  body: Buffer,
  header: string | undefined,
  secrets: readonly string[],
  now: Date,
): unknown {
  if (header === undefined || header.length > 2000) return undefined;
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const sentAt = Number(/(?:^|,)\s*t=(\d{1,12})(?:,|$)/.exec(header)?.[1]);
  if (!(Math.abs(nowSeconds - sentAt) <= toleranceSeconds)) return undefined;
  const { signature } = Stripe.webhooks;
  if (signature === null) throw new Error('this build of the Stripe SDK cannot verify signatures');
  for (const secret of secrets) {
    try {
      // Time was checked above, in both directions and by our own clock.
      if (signature.verifyHeader(body, header, secret)) return JSON.parse(body.toString('utf8'));
    } catch {
      // Another secret may fit: during rotation there are two.
    }
  }
  return undefined;
}
