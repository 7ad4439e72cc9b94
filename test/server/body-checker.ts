/** A schema of the document as one that zod checks: JSON Schema keeps its parts in `$defs`. */
import { z } from 'zod';
import type { ApiDocument } from './openapi-schema.ts';

export function bodyChecker(schema: object, { components }: ApiDocument): z.ZodType {
  const whole = JSON.stringify({ ...schema, $defs: components.schemas });
  const moved = whole.replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(moved) as Parameters<typeof z.fromJSONSchema>[0]);
}
