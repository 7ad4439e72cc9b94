/** A JSON schema in one line, for a person: `{ error: "a" | "b", down?: string[] }`. */
import { z } from 'zod';

const schemaSchema = z.object({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
});

/** What is named elsewhere in the document is told by its name. */
export function shapeOf(schema: unknown): string {
  const part = schemaSchema.parse(schema);
  if (part.$ref !== undefined) return part.$ref.split('/').at(-1) ?? '';
  if (part.const !== undefined) return JSON.stringify(part.const);
  if (part.enum !== undefined) return part.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (part.anyOf !== undefined) return part.anyOf.map(shapeOf).join(' | ');
  if (part.items !== undefined) return `${shapeOf(part.items)}[]`;
  if (part.properties !== undefined) {
    const fields = Object.entries(part.properties).map(
      ([name, value]) => `${name}${part.required.includes(name) ? '' : '?'}: ${shapeOf(value)}`,
    );
    return `{ ${fields.join(', ')} }`;
  }
  return [part.type ?? 'any'].flat().join(' | ');
}
