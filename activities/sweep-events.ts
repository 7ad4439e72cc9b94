/** Finds what was received and is not applied by anybody, and tells its line of it again (WH2). */
import pLimit from 'p-limit';
import { eventLine } from '../domain/stripe-events.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import type { UnreadableEvent, WaitingEvent } from '../tables/webhook-events.ts';
import type { Dependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import { layAsideEvent } from './lay-aside-event.ts';

/** Lines told at the same time. */
const atOnce = 10;
const batchSize = 100;
/** A sweep comes once a minute; what is left over is the next one's. */
const mostAtOnce = 5000;
/** A line that is told knows it: it may wait for Stripe, or have been ended by a person meanwhile. */
const tellAgainMs = 300_000;

export function createSweepActivities(deps: Dependencies) {
  async function sweepEvents(): Promise<{ told: number; waiting: number }> {
    return await withHeartbeat(async (cancelled) => {
      const told = await tellWaiting(deps, deps.now(), cancelled);
      let waiting = 0;
      for await (const _event of deps.webhookEvents.waiting()) {
        cancelled.throwIfAborted();
        waiting += 1;
      }
      deps.metrics.webhooksWaiting.set(waiting);
      return { told: told.length, waiting };
    });
  }

  return { sweepEvents };
}

/**
 * Tells all that were due by `until`, or all; the ids of those that were told. To tell a line twice is to tell
 * it once: a run remembers the event's id as its request's, and the inbox what is applied.
 */
export async function tellWaiting(
  deps: Dependencies,
  until: Date | undefined,
  cancelled: AbortSignal,
): Promise<string[]> {
  const told: string[] = [];
  const failures: unknown[] = [];
  const limit = pLimit(atOnce);
  const tellOne = async (event: WaitingEvent | UnreadableEvent): Promise<void> => {
    const { eventId } = event;
    const layAside = async (error: string) =>
      await layAsideEvent(deps, { eventId, error, tries: 0 });
    try {
      if ('problem' in event) await layAside(event.problem);
      else await tell(deps, event, told);
    } catch (error) {
      // A row that is none is one event's dead letter (SB19).
      if (error instanceof UnreadableRow) {
        await layAside(error.message);
        return;
      }
      // One line that cannot be told does not keep the others waiting.
      failures.push(error);
    }
  };
  let batch: Promise<void>[] = [];
  for await (const event of deps.webhookEvents.waiting(until)) {
    batch.push(limit(tellOne, event));
    if (batch.length >= batchSize) {
      await Promise.all(batch);
      batch = [];
      cancelled.throwIfAborted();
      // Temporal is away, say: the next sweep finds all of them again.
      if (failures.length >= batchSize) break;
    }
    if (told.length + batch.length >= mostAtOnce) break;
  }
  await Promise.all(batch);
  deps.metrics.webhooksToldAgain.inc(told.length);
  if (failures.length > 0) throw failures[0];
  return told;
}

/** The index lags: the row itself is asked whether the event still waits. */
async function tell(deps: Dependencies, event: WaitingEvent, told: string[]): Promise<void> {
  const { eventId } = event;
  const row = await deps.webhookEvents.get(eventId);
  if (row?.status !== 'received') return;
  await deps.signals.announceEvent(eventLine(event), eventId);
  const next = new Date(deps.now().getTime() + tellAgainMs);
  await deps.webhookEvents.noteTold(eventId, next);
  told.push(eventId);
}
