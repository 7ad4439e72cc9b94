/**
 * Temporal Cloud actions, counted from a history by the published list (docs.temporal.io, "Temporal
 * Cloud Actions"): what a run of these workflows would cost there. Heartbeats leave no event:
 * `countHeartbeats` gives their upper bound.
 */
import type { WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

export interface ActionCount {
  workflows: number;
  activities: number;
  timers: number;
  signals: number;
  children: number;
  /** All local activities of one workflow task are one action together. */
  localActivities: number;
  searchAttributes: number;
}

function noActions(): ActionCount {
  return {
    workflows: 0,
    activities: 0,
    timers: 0,
    signals: 0,
    children: 0,
    localActivities: 0,
    searchAttributes: 0,
  };
}

export function countActions(events: readonly HistoryEvent[]): ActionCount {
  const count = noActions();
  const tasksWithMarkers = new Set<string>();
  for (const event of events) {
    if (isSet(event.workflowExecutionStartedEventAttributes)) count.workflows += 1;
    // Each attempt is an action; a scheduled activity that never started had none.
    count.activities += event.activityTaskStartedEventAttributes?.attempt ?? 0;
    if (isSet(event.timerStartedEventAttributes)) count.timers += 1;
    if (isSet(event.workflowExecutionSignaledEventAttributes)) count.signals += 1;
    if (isSet(event.startChildWorkflowExecutionInitiatedEventAttributes)) count.children += 1;
    if (isSet(event.upsertWorkflowSearchAttributesEventAttributes)) count.searchAttributes += 1;
    const marker = event.markerRecordedEventAttributes;
    if (isSet(marker)) tasksWithMarkers.add(String(marker?.workflowTaskCompletedEventId));
  }
  count.localActivities = tasksWithMarkers.size;
  // A signal that starts its workflow is one action in all.
  const [started, first] = events;
  const continued = started?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
  const signalled = isSet(first?.workflowExecutionSignaledEventAttributes);
  if (signalled && continued === '') count.workflows -= 1;
  return count;
}

export function addActions(counts: readonly ActionCount[]): ActionCount {
  const sum = noActions();
  for (const count of counts) {
    for (const kind of Object.keys(sum) as (keyof ActionCount)[]) sum[kind] += count[kind];
  }
  return sum;
}

export function totalActions(count: ActionCount): number {
  let total = 0;
  for (const kind of Object.keys(count) as (keyof ActionCount)[]) total += count[kind];
  return total;
}

/**
 * Heartbeats of a history's activities that may have reached the server, each an action: at most one at
 * the start and one every 80 % of the timeout. They leave no event, so this is their upper bound.
 */
export function countHeartbeats(events: readonly HistoryEvent[]): number {
  const timeouts = new Map<string, number>();
  const started = new Map<string, number>();
  let beats = 0;
  for (const event of events) {
    const id = String(event.eventId);
    const at = Number(event.eventTime?.seconds ?? 0) + (event.eventTime?.nanos ?? 0) / 1e9;
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (isSet(scheduled)) timeouts.set(id, Number(scheduled?.heartbeatTimeout?.seconds ?? 0));
    const start = event.activityTaskStartedEventAttributes;
    if (isSet(start)) started.set(String(start?.scheduledEventId), at);
    const end = event.activityTaskCompletedEventAttributes;
    if (!isSet(end)) continue;
    const timeout = timeouts.get(String(end?.scheduledEventId)) ?? 0;
    const ran = at - (started.get(String(end?.scheduledEventId)) ?? at);
    if (timeout > 0) beats += 1 + Math.floor(ran / (timeout * 0.8));
  }
  return beats;
}

function isSet(attributes: object | null | undefined): boolean {
  return attributes !== null && attributes !== undefined;
}
