type Hash = Record<string, unknown>;

/**
 * What an event's `previous_attributes` says: the former values of what changed. Hashes are compared
 * by their keys (a key that is new was null before), lists as wholes, as at Stripe.
 */
export function previousAttributes(before: object, after: object): Hash {
  const [old, now] = [before as Hash, after as Hash];
  const previous: Hash = {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [was, is] = [old[name], now[name]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    previous[name] = isHash(was) && isHash(is) ? previousAttributes(was, is) : (was ?? null);
  }
  return previous;
}

function isHash(value: unknown): value is Hash {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
