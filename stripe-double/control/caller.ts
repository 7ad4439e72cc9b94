import type { z } from 'zod';

/** One call of the control API, its answer checked. */
export type Call = <Output>(
  method: string,
  path: string,
  schema: z.ZodType<Output>,
  body?: object,
) => Promise<Output>;

/** Calls under `base`; what is refused throws with the answer. */
export function createCaller(base: string): Call {
  return async (method, path, schema, body) => {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = await response.text();
    if (!response.ok) {
      throw new Error(`Stripe double: ${method} ${path}: ${response.status} ${answer}`);
    }
    return schema.parse(JSON.parse(answer));
  };
}

/** What is defined, as a query string. */
export function toQuery(query: object): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  return params.size === 0 ? '' : `?${params.toString()}`;
}
