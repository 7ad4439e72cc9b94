/** Sorts outside errors into what Temporal should try again and what it should not. The one place. */
import { ApplicationFailure } from '@temporalio/activity';
import Stripe from 'stripe';
import { BillingError } from '../domain/errors.ts';
import { classifyStripeError } from '../domain/stripe-problems.ts';
import type { StripeProblem } from '../domain/stripe-problems.ts';
import { hideSecrets } from '../domain/hide-secrets.ts';

/** Failure types that workflows tell apart. */
export type FailureType =
  | 'FileUnreadable'
  | 'FileUnwritable'
  | 'DeliveryHalted'
  | 'Refused'
  | 'Outside';

export function permanent(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

export function temporary(message: string, retryAfterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    message,
    type: 'Outside' satisfies FailureType,
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/**
 * A refusal of our own (BillingError) is final; anything from AWS, the network or a bug is tried
 * again, for it may be mended from outside while the work waits.
 */
function toActivityFailure(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('an unknown error was thrown');
  hideInWords(error);
  return error instanceof BillingError ? permanent('Refused', error.message) : error;
}

/** Temporal keeps a failure's words and stack, and those of its causes, in the history, which people read (I10). */
function hideInWords(error: Error, seen = new Set<Error>()): void {
  if (seen.has(error)) return;
  seen.add(error);
  error.message = hideSecrets(error.message);
  if (error.stack !== undefined) error.stack = hideSecrets(error.stack);
  if (error.cause instanceof Error) hideInWords(error.cause, seen);
}

/** The same activities; whatever one of them throws becomes what Temporal is to make of it. */
export function failingAsActivities<
  Activities extends Record<string, (order: never) => Promise<unknown>>,
>(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, run]) => [
    name,
    async (order: never): Promise<unknown> => {
      try {
        return await run(order);
      } catch (error) {
        throw toActivityFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Activities;
}

/** What a failed Stripe call means; an error that is not Stripe's is undefined. */
export function stripeProblem(error: unknown): StripeProblem | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  return classifyStripeError({
    type: error.type,
    message: hideSecrets(error.message),
    ...(error.statusCode === undefined ? {} : { statusCode: error.statusCode }),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.headers === undefined ? {} : { headers: error.headers }),
  });
}

/** Whether Stripe says that there is no such object. */
export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}

/** Codes of Node's sockets, when nobody answers or the line breaks. */
const brokenConnection = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;

/**
 * Whether the tables did not answer, or said that it was too much: every event would have failed alike. A
 * row that cannot be read and a request that is wrong (4xx) are the event's.
 */
export function isStoreAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata, $retryable, code } = error as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: object;
    code?: unknown;
  };
  const status = $metadata?.httpStatusCode ?? 0;
  const throttled = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded/.test(error.name);
  if (status >= 500 || throttled || $retryable !== undefined) return true;
  return error.name === 'TimeoutError' || brokenConnection.test(String(code));
}

const unreadable = new Map([
  ['NoSuchKey', 'does not exist'],
  ['NotFound', 'does not exist'],
  ['AccessDenied', 'may not be read (access denied)'],
  ['InvalidObjectState', 'is archived and must be restored first'],
  ['KeyTooLongError', 'has a name that the store refuses'],
]);

/** Why S3 will never hand out this object, or undefined when another try may succeed. */
export function whyUnreadable(error: unknown): string | undefined {
  return error instanceof Error ? unreadable.get(error.name) : undefined;
}

const tooLong = 'is a longer name than the store takes';
const unwritable = new Map([
  ['KeyTooLongError', tooLong],
  ['ObjectParentIsFile', 'cannot lie in this store below a name that is a file already'],
  ['ExistingObjectIsDirectory', 'is a folder in this store already: other files lie below it'],
  ['EntityTooLarge', 'would be larger than the store takes'],
]);

/** Why S3 will never take this object, or undefined when another try may succeed. */
export function whyUnwritable(error: unknown, key: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // A store on a file system (versitygw) calls a step that no file system takes a folder.
  const hasLongStep = key.split('/').some((step) => Buffer.byteLength(step) > 255);
  if (hasLongStep && error.name === 'ExistingObjectIsDirectory') return tooLong;
  // lib-storage has no error of its own for it.
  if (/^Exceeded \d+ parts/.test(error.message)) return 'grew past what one upload takes';
  return unwritable.get(error.name);
}
