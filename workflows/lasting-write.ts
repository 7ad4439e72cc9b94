/** Writes to our tables that outlast an outage of any length (FM17). */
import { isCancellation } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { briefTableActivities, lastingTableActivities } from './activity-options.ts';
import { failedAs } from './failures.ts';

type Writes = 'beginProcessing' | 'completeProcessing' | 'failProcessing';

/** Quick first; when the tables stay away, in the server's hands, whose retries leave no events. */
export async function lastingWrite<Result>(
  write: (activities: Pick<Activities, Writes>) => Promise<Result>,
): Promise<Result> {
  try {
    return await write(briefTableActivities);
  } catch (error) {
    if (failedAs(error, 'Refused') || isCancellation(error)) throw error;
  }
  return await write(lastingTableActivities);
}
