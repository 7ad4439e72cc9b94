/**
 * Tells lines of events that were received and that nobody has applied. A schedule runs it, for the case that
 * whoever took them in died, that Temporal was away, or that a person ended the line's workflow (WH2).
 */
import { listingActivities } from './activity-options.ts';

export async function sweepWebhooks(): Promise<{ told: number; waiting: number }> {
  return await listingActivities().sweepEvents();
}
