/** Applies events of one line, one at a time, in their order. */
import { deadLetterId } from '../domain/ids.ts';
import { effectOf } from '../domain/stripe-events.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import type { InboxEvent } from '../tables/webhook-events.ts';
import { applyEvent } from './apply-event.ts';
import type { Dependencies } from './dependencies.ts';
import { createEventGroup } from './event-group.ts';
import type { EventGroup } from './event-group.ts';
import { isStoreAway, stripeProblem } from './failures.ts';

/**
 * All that a customer's checkout tells of is asked for in seven questions, and that is one task. An event asks
 * seven times at most (a disputed intent of an invoice), but for pages of long lists: so a task asks 14 times.
 */
const enoughQuestions = 8;

/** Events read from the inbox at first; then as many again as were read. */
const firstPage = 5;

export interface ApplyFailure {
  error: string;
  /**
   * `event`: its own, and a try of it (WH6); `outside`: Stripe or our tables are away, which is nobody's
   * poison; `key`: Stripe refuses our key, which only a person can mend (WH10).
   */
  fault: 'event' | 'outside' | 'key';
  /** No later try can succeed. */
  final: boolean;
  /** Stripe's own word on when to come again. */
  retryAfterMs?: number;
}

/** The first `applied` of the events are settled; `failure` is of the one behind them. */
export interface ApplyOutcome {
  applied: number;
  failure?: ApplyFailure;
}

/**
 * Ends early, with what is applied so far, at the first event that fails, and before one that would make
 * it ask Stripe more than a task may: `EVENT_RATE_PER_SECOND` counts tasks. A failure is an answer, not an
 * exception: only a task that was lost is Temporal's to repeat, and that is no try of an event (WH6).
 */
export async function applyEvents(
  deps: Dependencies,
  { eventIds }: { eventIds: readonly string[] },
  signal: AbortSignal,
): Promise<ApplyOutcome> {
  const group = deps.stripe === undefined ? undefined : createEventGroup(deps, deps.stripe);
  const inbox = readAhead(deps, eventIds);
  let applied = 0;
  for (const eventId of eventIds) {
    // Temporal has given this task to another worker: that one goes on.
    signal.throwIfAborted();
    try {
      const event = await inbox(eventId);
      if (event === undefined) {
        return {
          applied,
          failure: { error: `no event ${eventId} in the inbox`, fault: 'event', final: true },
        };
      }
      if (event.status === 'applied') {
        await closeLetter(deps, eventId);
      } else if (group === undefined) {
        return { applied, failure: haltedWithoutKey };
      } else {
        if (applied > 0 && isEnough(group, event)) break;
        await applyEvent(group, event);
        await settle(deps, event);
      }
    } catch (error) {
      const failure = describeFailure(error);
      deps.logger.warn({ eventId, reason: failure.error }, 'an event was not applied this time');
      if (failure.fault === 'key') await alarm(deps, failure.error);
      return { applied, failure };
    }
    applied += 1;
  }
  return { applied };
}

/**
 * Reads the events in pages that grow, for a task that asks Stripe much ends after a few. What is applied by
 * another one after it was read is applied once more, which changes nothing: `settle` asks the row itself.
 */
function readAhead(
  { webhookEvents }: Dependencies,
  eventIds: readonly string[],
): (eventId: string) => Promise<InboxEvent | undefined> {
  const ids = [...new Set(eventIds)];
  const known = new Map<string, InboxEvent | undefined>();
  return async (eventId) => {
    if (!known.has(eventId)) {
      const page = ids.slice(known.size, known.size + Math.max(firstPage, known.size));
      const found = await webhookEvents.getAll(page);
      for (const id of page) known.set(id, found.get(id));
    }
    // What cannot be read says so by itself, and blames none of those read with it (SB19).
    return known.get(eventId) ?? (await webhookEvents.get(eventId));
  };
}

function isEnough(group: EventGroup, { objectId = '' }: InboxEvent): boolean {
  return group.asked >= enoughQuestions && !group.mirrored.has(objectId);
}

/**
 * The inbox first: who dies in between finds the event applied, and closes its letter then. A letter that
 * is opened later, by one who believed this try to be lost, is closed by its opener (`layAsideEvent`).
 */
async function settle(deps: Dependencies, { eventId, type }: InboxEvent): Promise<void> {
  const was = await deps.webhookEvents.settle(eventId, 'applied');
  if (was !== 'received') await closeLetter(deps, eventId);
  deps.metrics.webhooksApplied.inc({ effect: effectOf(type) });
}

export async function closeLetter(deps: Dependencies, eventId: string): Promise<void> {
  const letter = deadLetterId('webhook-event', eventId);
  await deps.deadLetters.close(letter, { status: 'redriven' }, deps.now().toISOString());
}

const haltedWithoutKey: ApplyFailure = {
  error: 'billing is off: no Stripe key',
  fault: 'key',
  final: false,
};

async function alarm(deps: Dependencies, note: string): Promise<void> {
  deps.metrics.webhooksHalted.inc();
  await deps.raiseAlert({ kind: 'webhooks_halted', facts: {}, note });
}

function describeFailure(error: unknown): ApplyFailure {
  const problem = stripeProblem(error);
  if (problem === undefined) {
    const message = error instanceof Error ? error.message : 'an unknown error';
    const final = error instanceof UnreadableRow;
    return { error: message, fault: isStoreAway(error) ? 'outside' : 'event', final };
  }
  if (problem.kind === 'already_exists') {
    return { error: 'Stripe has it already', fault: 'event', final: false };
  }
  const { message } = problem;
  if (problem.kind === 'refused') return { error: message, fault: 'event', final: false };
  if (problem.kind === 'unauthorized') return { error: message, fault: 'key', final: false };
  const retryAfterMs = problem.kind === 'transient' ? problem.retryAfterMs : undefined;
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { error: message, fault: 'outside', final: false, ...asked };
}
