import { StripeError } from './errors.ts';

const anyTestKey = /^(sk|rk)_test_\w+$/;

/**
 * Checks the secret key, given as Bearer or as the user of Basic, as at Stripe. Without a list of
 * keys any test key will do; a live key never will.
 */
export function checkSecretKey(
  authorization: string | undefined,
  accepted: readonly string[],
): void {
  const key = keyOf(authorization ?? '');
  if (key === '') {
    const message =
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
    throw new StripeError(401, message);
  }
  const isKnown = accepted.length === 0 ? anyTestKey.test(key) : accepted.includes(key);
  if (!isKnown) throw new StripeError(401, `Invalid API Key provided: ${hide(key)}`);
}

function keyOf(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ', 2);
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return '';
  return Buffer.from(value, 'base64').toString('utf8').split(':', 1)[0] ?? '';
}

function hide(key: string): string {
  return `${key.slice(0, 8)}****${key.slice(-4)}`.slice(0, 16);
}
