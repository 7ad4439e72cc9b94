/** Where a list goes on, as text that callers hand back unread. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { deadLetterKinds } from '../domain/dead-letters.ts';
import { BillingError } from '../domain/errors.ts';
import type { DeadLetterPlaces } from '../tables/dead-letters.ts';

const placesSchema = z.partialRecord(
  z.enum(deadLetterKinds),
  z.strictObject({ createdAt: z.string().min(1), id: z.string().min(1) }),
);

const pageSchema = z.strictObject({
  createdAt: z.string().min(1),
  processingId: z.string().min(1),
});

/** `list` says which list it is, filters and all: a cursor goes on in its own only. */
export function writeCursor(places: DeadLetterPlaces, list: readonly string[]): string {
  return write(places, list);
}

/** Throws BillingError `invalid_request` for one that was not written for this list. */
export function readCursor(cursor: string, list: readonly string[]): DeadLetterPlaces {
  return read(placesSchema, cursor, list);
}

/** As `writeCursor`, of a customer's processings. */
export function writePageCursor(
  place: z.infer<typeof pageSchema>,
  list: readonly string[],
): string {
  return write(place, list);
}

export function readPageCursor(
  cursor: string,
  list: readonly string[],
): z.infer<typeof pageSchema> {
  return read(pageSchema, cursor, list);
}

/** As `writeCursor`, of customers. */
export function writeCustomerCursor(customerId: string): string {
  return write({ customerId }, ['customers']);
}

export function readCustomerCursor(cursor: string): string {
  return read(z.strictObject({ customerId: z.string().min(1) }), cursor, ['customers']).customerId;
}

function write(place: object, list: readonly string[]): string {
  const text = Buffer.from(JSON.stringify(place)).toString('base64url');
  return `${checksum(text, list)}.${text}`;
}

function read<Place>(schema: z.ZodType<Place>, cursor: string, list: readonly string[]): Place {
  const [sum, text = ''] = cursor.split('.', 2);
  try {
    if (cursor === `${checksum(text, list)}.${text}` && sum !== '') {
      return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    }
  } catch {
    // No JSON, or of another shape: refused below like any other.
  }
  throw new BillingError('invalid_request', 'cursor: it is not one that this list has given');
}

/** Against mistakes, not against forgers: who may list may read any row. */
function checksum(text: string, list: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([text, ...list]));
  return hash.digest('base64url').slice(0, 12);
}
