import { z } from 'zod';
import type { StripeError } from './errors.ts';
import { invalidParameter } from './errors.ts';

const wholeNumber = /^-?\d{1,16}$/;

/** Text that Stripe would refuse beyond 5,000 characters. */
export const text = z.string().min(1).max(5000);
/** Text where the empty string means: unset. */
export const clearableText = z
  .string()
  .max(5000)
  .transform((value) => (value === '' ? null : value));
export const integer = z.string().regex(wholeNumber, 'Invalid integer').transform(Number);
export const boolean = z.enum(['true', 'false']).transform((value) => value === 'true');
export const metadata = z.union([
  z.literal('').transform(() => null),
  z.record(z.string().max(40), z.string().max(500)),
]);
/** Accepted by every route and ignored: the double expands nothing. */
export const expand = z.union([z.array(z.string()), z.string()]).optional();

/** Checks a request's parameters; what is wrong is answered as Stripe words it, and is not saved. */
export function parseParams<Output>(schema: z.ZodType<Output>, params: unknown): Output {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  throw toStripeError(parsed.error.issues[0], params);
}

const noParams = z.strictObject({ expand });

/** For a route that takes no parameters: Stripe refuses the ones that it does not know there too. */
export function refuseParams(params: unknown): void {
  parseParams(noParams, params);
}

/** Merges metadata as Stripe does: an empty value removes a key, an empty hash removes all. */
export function mergeMetadata(
  before: Record<string, string>,
  change: Record<string, string> | null | undefined,
): Record<string, string> {
  if (change === undefined) return before;
  if (change === null) return {};
  return Object.fromEntries(
    Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''),
  );
}

type Defined<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

/** The fields that were given: exactOptionalPropertyTypes tells absent from undefined. */
export function withoutUndefined<Fields extends object>(fields: Fields): Defined<Fields> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Defined<Fields>;
}

function toStripeError(issue: z.core.$ZodIssue | undefined, params: unknown): StripeError {
  const [head = '', ...rest] = issue?.path.map(String) ?? [];
  const param = head + rest.map((part) => `[${part}]`).join('');
  if (issue?.code === 'unrecognized_keys') {
    const name = issue.keys[0] ?? '';
    const full = param === '' ? name : `${param}[${name}]`;
    return invalidParameter(full, `Received unknown parameter: ${full}`, 'parameter_unknown');
  }
  const given = valueAt(params, issue?.path ?? []);
  if (given === undefined) {
    return invalidParameter(param, `Missing required param: ${param}.`, 'parameter_missing');
  }
  if (given === '') {
    const message = `You passed an empty string for '${param}'. We assume empty values are an attempt to unset a parameter; however '${param}' cannot be unset. You should remove '${param}' from your request or supply a non-empty value.`;
    return invalidParameter(param, message, 'parameter_invalid_empty');
  }
  return invalidParameter(param, `Invalid ${param}: ${describe(given)}`);
}

function valueAt(params: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = params;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<PropertyKey, unknown>(Object.entries(value)).get(String(key));
  }
  return value;
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? value
    : `an unexpected ${Array.isArray(value) ? 'list' : 'hash'}`;
}
