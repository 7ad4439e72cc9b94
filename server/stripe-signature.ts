/** Stripe's webhook signature, on the raw bytes, with every secret that is configured (WH1). */
import Stripe from 'stripe';

/** Seconds that an event's timestamp may be old, or ahead: the SDK refuses old ones only. */
const toleranceSeconds = 300;

/**
 * Parsed once its signature held; undefined when it does not hold under any secret. The time that is
 * judged must be the one that is signed: of several the SDK would sign the last, so there may be one.
 */
export function verifyStripeEvent(
  body: Buffer,
  header: string | undefined,
  secrets: readonly string[],
  now: Date,
): unknown {
  if (header === undefined || header.length > 2000) return undefined;
  const times = header.split(',').filter((item) => item.startsWith('t='));
  const sentAt =
    times.length === 1 ? Number(/^t=(\d{1,12})$/.exec(times[0] ?? '')?.[1]) : Number.NaN;
  const nowSeconds = Math.floor(now.getTime() / 1000);
  if (!(Math.abs(nowSeconds - sentAt) <= toleranceSeconds)) return undefined;
  const { signature } = Stripe.webhooks;
  if (signature === null) throw new Error('this build of the Stripe SDK cannot verify signatures');
  for (const secret of secrets) {
    try {
      // By our own clock: the SDK's default is the machine's.
      const received = [toleranceSeconds, undefined, now.getTime()] as const;
      if (signature.verifyHeader(body, header, secret, ...received))
        return JSON.parse(body.toString('utf8'));
    } catch {
      // Another secret may fit: during rotation there are two.
    }
  }
  return undefined;
}
