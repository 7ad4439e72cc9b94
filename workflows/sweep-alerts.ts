/**
 * Starts the senders of alerts that were kept and that nobody is sending. A schedule runs it, for the case that
 * whoever raised one died before it was announced, or that Temporal was away (GA16).
 */
import type { SweepAlertsResult } from '../domain/alert-runs.ts';
import { housekeepingActivities } from './activity-options.ts';

export async function sweepAlerts(): Promise<SweepAlertsResult> {
  return await housekeepingActivities.startForgottenAlerts();
}
