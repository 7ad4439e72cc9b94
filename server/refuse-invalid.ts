/** Input that does not fit a route's schemas, told as our own `invalid_request` that names the fields. */
import type { Hook } from '@hono/zod-openapi';
import type { Env } from 'hono';
import { BillingError } from '../domain/errors.ts';
import { printable } from '../domain/ids.ts';

/** More than these help nobody. */
const mostProblems = 5;

const places = { json: 'the body', query: 'the query', param: 'the address' } as const;

/** For OpenAPIHono's `defaultHook`: called after each check, good or bad. */
export const refuseInvalid: Hook<unknown, Env, string, void> = (result) => {
  if (result.success) return;
  const { target } = result;
  const whole = target in places ? places[target as keyof typeof places] : target;
  const problems = result.error.issues.slice(0, mostProblems).map(({ path, message }) => {
    return `${path.length === 0 ? whole : path.join('.')}: ${printable(message)}`;
  });
  throw new BillingError('invalid_request', problems.join('; '));
};
