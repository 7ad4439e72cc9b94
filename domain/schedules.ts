/** Every Temporal schedule, as data: applied by the worker at start and by `durabill schedules apply`. */
import { workflowTypes } from './temporal-names.ts';

export interface ScheduleEntry {
  id: string;
  workflowType: string;
  /** Cron, UTC. */
  cron: string;
  /** How late a missed run may still be started. */
  catchUpWindow: `${number} ${'minutes' | 'hours' | 'days'}`;
  /** What becomes of a run whose time comes while the one before it is open. */
  overlap: 'BUFFER_ALL' | 'SKIP';
  /** A run that failed stops the schedule until a person looks. */
  pauseOnFailure: boolean;
  note: string;
}

export const schedules: readonly ScheduleEntry[] = [
  {
    id: 'daily-storage',
    workflowType: workflowTypes.aggregateStorage,
    cron: '0 1 * * *',
    catchUpWindow: '2 days',
    // Each night is a day of its own: one that waits is measured, one that is skipped is lost (SB21).
    overlap: 'BUFFER_ALL',
    pauseOnFailure: false,
    note: 'Measures what every customer stores',
  },
  {
    id: 'monthly-storage',
    workflowType: workflowTypes.billStorage,
    cron: '0 2 1 * *',
    // Stripe takes usage of up to 35 days ago: a missed run is still worth starting for weeks.
    catchUpWindow: '20 days',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Bills the month before',
  },
  {
    id: 'catch-up-webhooks',
    workflowType: workflowTypes.catchUpWebhooks,
    cron: '17 * * * *',
    catchUpWindow: '1 minutes',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Asks Stripe for events that it could not deliver',
  },
  {
    id: 'sweep-webhooks',
    workflowType: workflowTypes.sweepWebhooks,
    cron: '* * * * *',
    catchUpWindow: '1 minutes',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Tells lines of events that nobody has applied',
  },
  {
    id: 'repair-reservations',
    workflowType: workflowTypes.repairReservations,
    cron: '* * * * *',
    catchUpWindow: '1 minutes',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Gives back what casts left reserved that never ran',
  },
  {
    id: 'sweep-usage',
    workflowType: workflowTypes.sweepUsage,
    cron: '*/15 * * * *',
    catchUpWindow: '1 minutes',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Wakes the deliveries that hold something overdue',
  },
  {
    id: 'sweep-alerts',
    workflowType: workflowTypes.sweepAlerts,
    cron: '*/5 * * * *',
    catchUpWindow: '1 minutes',
    overlap: 'SKIP',
    pauseOnFailure: false,
    note: 'Sends alerts that nobody is sending',
  },
];
