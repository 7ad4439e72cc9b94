/** The time for which a schedule started this run: not the clock's, however late it is (SB1, SB8). */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { dayOf } from '../domain/period.ts';

const scheduledStart = { name: 'TemporalScheduledStartTime', type: 'DATETIME' } as const;

export function nominalDay(): string {
  const time = workflowInfo().typedSearchAttributes.get(scheduledStart);
  if (time !== undefined) return dayOf(time.getTime());
  throw ApplicationFailure.nonRetryable(
    'started by no schedule and given no day or month',
    'Refused',
  );
}
