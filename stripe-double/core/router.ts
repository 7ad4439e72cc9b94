import type { FormObject } from './form.ts';

/** A request to one of Stripe's endpoints, parsed. */
export type ApiCall = {
  /** The path as it was asked, for a list's `url`. */
  path: string;
  pathIds: Readonly<Record<string, string>>;
  params: FormObject;
};

/**
 * One endpoint. `handle` is synchronous, and checks everything before it changes anything: that is
 * what makes a request atomic. `lock` names what only one call at a time may work on.
 */
export type Route = {
  method: 'GET' | 'POST' | 'DELETE';
  /** Such as `/v1/customers/:id`. */
  path: string;
  handle: (call: ApiCall) => object;
  lock?: (call: ApiCall) => { customer: string; eventName: string } | undefined;
};

export type Matched = { route: Route; pathIds: Record<string, string> };

/** Finds the route of a request; routes with a fixed last segment must come before `:id` ones. */
export function createRouter(routes: readonly Route[]) {
  const compiled = routes.map((route) => ({ route, segments: route.path.split('/') }));
  return (method: string, path: string): Matched | undefined => {
    const parts = path.split('/');
    for (const { route, segments } of compiled) {
      const pathIds = route.method === method ? matchSegments(segments, parts) : undefined;
      if (pathIds !== undefined) return { route, pathIds };
    }
    return undefined;
  };
}

function matchSegments(
  segments: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (segments.length !== parts.length) return undefined;
  const ids: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? '';
    if (!segment.startsWith(':')) {
      if (segment !== part) return undefined;
    } else if (part === '') {
      return undefined;
    } else {
      ids[segment.slice(1)] = decode(part);
    }
  }
  return ids;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
