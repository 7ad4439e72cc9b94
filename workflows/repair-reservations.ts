/**
 * Gives back, or settles, what casts left set aside: their server died before it started them, or their
 * workflow was ended from outside. A schedule runs it every minute (GA2, GA11).
 */
import { housekeepingActivities } from './activity-options.ts';

export async function repairReservations(): Promise<{ repaired: number }> {
  return await housekeepingActivities.repairReservations();
}
