/** Every Temporal schedule, as data: applied by the worker at start and by `durabill schedules apply`. */
import { workflowTypes } from './temporal-names.ts';

export interface ScheduleEntry {
  id: string;
  workflowType: string;
  /** Cron, UTC. */
  cron: string;
  /** How late a missed run may still be started. */
  catchUpWindow: `${number} ${'minutes' | 'hours' | 'days'}`;
  /** A run that failed stops the schedule until a person looks. */
  pauseOnFailure: boolean;
  note: string;
}

export const schedules: readonly ScheduleEntry[] = [
  {
    id: 'sweep-usage',
    workflowType: workflowTypes.sweepUsage,
    cron: '*/15 * * * *',
    catchUpWindow: '1 minutes',
    pauseOnFailure: false,
    note: 'Wakes the deliveries that hold something overdue',
  },
];
