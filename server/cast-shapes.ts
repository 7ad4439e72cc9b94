/** What the routes of casts take and answer. */
import { z } from '@hono/zod-openapi';
import { mostFilesPerCast } from '../domain/casts.ts';
import { jsonAnswer } from './openapi.ts';
import { isoTime } from './routes/guarded.ts';

const mostOnPage = 100;
/** S3's limit for a key is 1,024 bytes. */
const longestKey = 1024;

const fileKey = z
  .string()
  .min(1)
  .max(longestKey)
  .openapi({ description: 'relative to the customer’s input prefix', example: 'report.csv' });

export const castBody = z
  .strictObject({
    files: z
      .array(z.strictObject({ key: fileKey }))
      .min(1)
      .max(mostFilesPerCast),
  })
  .openapi('Cast');

export const castHeaders = z.object({
  'Idempotency-Key': z.string().optional().openapi({
    description: '1 to 255 characters: a repeated request is answered with the first one’s cast',
  }),
});

const status = z.enum(['in_progress', 'completed', 'failed']);
const processingId = z.string().openapi({ example: 'cast-0123456789abcdef0123456789abcdef' });
const costCents = z
  .number()
  .int()
  .openapi({ description: 'set aside; once it has ended, what it cost' });

export const castAnswer = z.strictObject({ processingId, status, costCents }).openapi('CastAnswer');

export const processingShape = z
  .strictObject({
    processingId,
    status,
    costCents: costCents.optional(),
    fileCount: z.number().int().optional(),
    progress: z
      .strictObject({
        step: z.string(),
        filesDone: z.number().int(),
        bytesDone: z.number().int(),
      })
      .optional()
      .openapi({ description: 'while it runs, when a worker tells' }),
    totalBytes: z.number().int().optional(),
    createdAt: isoTime,
    endedAt: isoTime.optional(),
    error: z.string().optional(),
  })
  .openapi('Processing');

export const castParam = z.strictObject({ processingId: z.string().min(1).max(100) });

export const listQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostOnPage)
    .default(50)
    .openapi({ type: 'integer', minimum: 1, maximum: mostOnPage }),
  cursor: z.string().min(1).max(1024).optional(),
});

export const listShape = z
  .strictObject({ casts: z.array(processingShape), cursor: z.string().optional() })
  .openapi('Casts');

export const fileBody = z.strictObject({ key: fileKey });
export const uploadShape = z
  .strictObject({
    key: z.string(),
    url: z.string().openapi({ description: 'takes one PUT with the file as its body' }),
    expiresInSeconds: z.number().int(),
  })
  .openapi('Upload');

/** The one refusal that tells figures (GA1). */
export const overBudget = jsonAnswer(
  'budget_exceeded: nothing was run, and nothing is set aside',
  z
    .strictObject({
      error: z.literal('budget_exceeded'),
      message: z.string(),
      period: z.string().openapi({ description: 'the calendar month (UTC)' }),
      limitCents: z.number().int(),
      usedCents: z.number().int(),
      reservedCents: z.number().int().openapi({ description: 'of casts under way' }),
      requestedCents: z.number().int(),
    })
    .openapi('BudgetExceeded'),
);
