/** What the routes of dead letters take and answer. */
import { z } from '@hono/zod-openapi';
import { deadLetterKinds, deadLetterStatuses } from '../domain/dead-letters.ts';
import { deliveryStates } from '../domain/usage.ts';
import { errorSchema } from './openapi.ts';

/** On a page. */
const mostLetters = 100;
/** DynamoDB's limit for a partition key. */
const longestKeyBytes = 2048;

const kind = z.enum(deadLetterKinds);
const cursor = z.string().min(1).max(8192);
const isoTime = z.string().openapi({ description: 'ISO 8601, UTC' });

/** `?kind=&status=&limit=&cursor=` */
export const listQuery = z.strictObject({
  kind: kind.optional().openapi({ description: 'of this kind only' }),
  status: z
    .enum([...deadLetterStatuses, 'all'])
    .default('open')
    .openapi({ description: 'in this state' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostLetters)
    .default(50)
    .openapi({ type: 'integer', minimum: 1, maximum: mostLetters }),
  cursor: cursor.optional().openapi({ description: 'of the page before, with the same filters' }),
});

export const idParam = z.strictObject({
  id: z
    .string()
    .refine((id) => Buffer.byteLength(id) <= longestKeyBytes, `at most ${longestKeyBytes} bytes`)
    .openapi({
      description: 'percent-encoded, slashes as well',
      example: 'usage-rejected/prc_123',
    }),
});

export const discardBody = z.strictObject({
  reason: z.string().openapi({ description: '1 to 500 characters on one line' }),
});

export const redriveOpenBody = z.strictObject({ kind: kind.optional(), cursor: cursor.optional() });

export const deadLetterShape = z
  .strictObject({
    id: z.string(),
    kind,
    subject: z
      .union([
        z.strictObject({ identifier: z.string() }),
        z.strictObject({ day: z.string() }),
        z.strictObject({ month: z.string() }),
        z.strictObject({ eventId: z.string() }),
      ])
      .openapi({ description: 'what it is about: usage, a day or month of storage, or an event' }),
    customerId: z.string(),
    error: z.string(),
    attempts: z.number().int(),
    status: z.enum(deadLetterStatuses),
    createdAt: isoTime,
    updatedAt: isoTime,
    discardReason: z.string().optional(),
    settleReason: z.string().optional(),
    record: z.record(z.string(), z.unknown()).openapi({ description: 'as it stood' }),
  })
  .openapi('DeadLetter');

export const listShape = z
  .strictObject({ deadLetters: z.array(deadLetterShape), cursor: z.string().optional() })
  .openapi('DeadLetters');

const quick = ['redriven', 'already-redriven', 'again'] as const;
const outcome = z.enum([...quick, 'started']);

/** As `operations/dead-letters/` answers, by what the dead letter is about. */
export const redrivenShape = z
  .union([
    z
      .strictObject({
        id: z.string(),
        identifier: z.string(),
        outcome: z.enum(quick),
        state: z.enum(deliveryStates),
      })
      .openapi('RedrivenUsage'),
    z
      .strictObject({
        id: z.string(),
        customerId: z.string(),
        period: z.string().openapi({ description: 'day or month' }),
        outcome,
        state: z.enum(['measured', 'missing', 'billed', 'failed', 'pending']),
      })
      .openapi('RedrivenStorage'),
    z
      .strictObject({
        id: z.string(),
        eventId: z.string(),
        outcome,
        state: z.enum(['received', 'applied', 'ignored', 'dead']),
      })
      .openapi('RedrivenEvent'),
  ])
  .openapi('Redriven');

export const redrivenOpenShape = z
  .strictObject({
    redriven: z.array(redrivenShape),
    failures: z.array(z.strictObject({ id: z.string(), ...errorSchema.shape })),
    cursor: z.string().optional().openapi({ description: 'there may be more: go on here' }),
  })
  .openapi('RedrivenOpen');
