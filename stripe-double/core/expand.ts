import type { FormValue } from './form.ts';

/** How ids become objects, and what an object shows only when it is asked for. */
export type Expander = {
  find: (id: string) => object | undefined;
  include: (body: Record<string, unknown>, name: string) => object | undefined;
};

/**
 * Stripe's `expand` (https://docs.stripe.com/api/expanding_objects). A path that leads nowhere is
 * passed over; Stripe would refuse it.
 */
export function expandBody(body: object, given: FormValue | undefined, expander: Expander): object {
  const paths = typeof given === 'string' ? [given] : Array.isArray(given) ? given : [];
  let expanded: unknown = body;
  for (const path of paths) {
    if (typeof path === 'string') expanded = expandPath(expanded, path.split('.'), expander);
  }
  return isHash(expanded) ? expanded : body;
}

function expandPath(value: unknown, path: readonly string[], expander: Expander): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((each: unknown) => expandPath(each, path, expander));
  }
  if (!isHash(value)) return value;
  const present = value[name];
  const found =
    typeof present === 'string'
      ? (expander.find(present) ?? present)
      : (present ?? expander.include(value, name));
  if (found === undefined) return value;
  return { ...value, [name]: expandPath(found, rest, expander) };
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
