/**
 * A call that a store refused because there were too many is that call's to repeat, not its neighbours'
 * (SB19). It keeps its place among the calls that may run at once while it waits: so fewer are sent the
 * more are refused, and nobody has to measure a rate.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** As AWS's SDKs sort them (`@smithy/service-error-classification`), for S3 and DynamoDB. */
const throttlingNames = new Set([
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottledException',
  'RequestThrottled',
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'BandwidthLimitExceeded',
  'SlowDown',
  'PriorRequestNotComplete',
  'TooManyRequestsException',
]);

/** About four minutes of waiting: after that it is an outage, and the activity's retries wait it out. */
const mostTries = 150;
const [firstWaitMs, longestWaitMs] = [50, 2000];

function isThrottled(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return throttlingNames.has(error.name) || $metadata?.httpStatusCode === 429;
}

/** Runs the call until it is not refused as one too many; waits double, each cut short by chance. */
export async function repeatThrottled<Result>(
  call: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isThrottled(error) || tries >= mostTries) throw error;
    }
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (tries - 1));
    // By chance, so that those who were refused together do not come again together.
    await delay(waitMs * (0.5 + Math.random() / 2), undefined, { signal });
  }
}
