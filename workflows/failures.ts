/** Reads the failures that activities end in. */
import { BillingError } from '../domain/errors.ts';
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';

/** What `billCustomerStorage` fails as once it has written down why. */
export const billFailed = 'BillFailed';

/** The words of the innermost cause, for a person. */
export function reasonOf(error: unknown): string {
  if (isCancellation(error)) return 'cancelled';
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  if (wrapped && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof TimeoutFailure) return `timed out (${error.timeoutType})`;
  return error instanceof Error ? error.message : 'an unknown error';
}

/** Whether an activity or a child failed with this type of ours. */
export function failedAs(error: unknown, type: string): boolean {
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  const cause = wrapped ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === type;
}

/** A refusal of the domain ends a workflow for good; thrown as it is, it would fail its task for ever. */
export function asFailure(error: unknown): Error {
  if (error instanceof BillingError) {
    return ApplicationFailure.nonRetryable(error.message, 'Refused');
  }
  return error instanceof Error ? error : new Error('an unknown error was thrown');
}

/**
 * Runs a check of the domain over the workflow's input; what it refuses fails the workflow for good, in its
 * own words. So does an input that the check stumbles over (a number for a day, null for an order): thrown
 * as it is, that would fail the workflow's task, which Temporal tries again without end.
 */
export function refuseInvalid<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    if (error instanceof BillingError) throw asFailure(error);
    const stumbled = `the workflow's input has another shape than it takes (${reasonOf(error)})`;
    throw ApplicationFailure.nonRetryable(stumbled, 'Refused');
  }
}
