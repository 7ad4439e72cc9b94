/** Which schedule is meant, and whether Temporal has it. */
import { BillingError } from '../../domain/errors.ts';
import { printable } from '../../domain/ids.ts';
import { schedules } from '../../domain/schedules.ts';
import type { ScheduleEntry } from '../../domain/schedules.ts';

/** For one call about a schedule. */
export const patienceMs = 10_000;

export function findEntry(id: string): ScheduleEntry {
  const entry = schedules.find((one) => one.id === id);
  if (entry !== undefined) return entry;
  const known = schedules.map((one) => one.id).join(', ');
  throw new BillingError('not_found', `no schedule "${printable(id)}"; there are: ${known}`);
}

/** By name, so that the SDK is not loaded for it. */
export function isNotApplied(error: unknown): boolean {
  return error instanceof Error && error.name === 'ScheduleNotFoundError';
}

export function notApplied(id: string): BillingError {
  const advice = 'run `durabill schedules apply`';
  return new BillingError('not_found', `schedule ${id} is not at Temporal yet: ${advice}`);
}
