/** A subscription's state and what changed in it. */

/** What is compared; `prices` are the ids of its items' prices, sorted. */
export interface SubscriptionState {
  status: string;
  prices: string[];
  cancelAtPeriodEnd: boolean;
  /** ISO 8601 UTC. */
  cancelAt?: string;
  paused: boolean;
}

export type SubscriptionChange =
  | { kind: 'created' }
  | { kind: 'plan_changed'; from: string[]; to: string[] }
  | { kind: 'cancellation_scheduled'; at?: string }
  | { kind: 'cancellation_withdrawn' }
  | { kind: 'cancelled' }
  | { kind: 'paused' }
  | { kind: 'resumed' }
  | { kind: 'status_changed'; from: string; to: string };

/**
 * What happened between two states of one subscription, in the order in which a person would tell it.
 * Cancellation, pausing and resuming say all about the status that goes with them.
 */
export function detectChanges(
  before: SubscriptionState | undefined,
  after: SubscriptionState,
): SubscriptionChange[] {
  if (before === undefined) return [{ kind: 'created' }];
  const changes: SubscriptionChange[] = [];
  if (before.prices.join() !== after.prices.join()) {
    changes.push({ kind: 'plan_changed', from: before.prices, to: after.prices });
  }
  const cancelled = after.status === 'canceled' && before.status !== 'canceled';
  if (cancelled) changes.push({ kind: 'cancelled' });
  else changes.push(...cancellation(before, after));
  const paused = isPaused(after) && !isPaused(before);
  const resumed = isPaused(before) && !isPaused(after) && after.status !== 'canceled';
  if (paused) changes.push({ kind: 'paused' });
  if (resumed) changes.push({ kind: 'resumed' });
  if (before.status !== after.status && !cancelled && !paused && !resumed) {
    changes.push({ kind: 'status_changed', from: before.status, to: after.status });
  }
  return changes;
}

/** Stripe pauses by a status of its own, or by pausing the collection of payments. */
function isPaused({ status, paused }: SubscriptionState): boolean {
  return paused || status === 'paused';
}

function cancellation(before: SubscriptionState, after: SubscriptionState): SubscriptionChange[] {
  const [was, is] = [isEnding(before), isEnding(after)];
  if (is && (!was || before.cancelAt !== after.cancelAt)) {
    const at = after.cancelAt === undefined ? {} : { at: after.cancelAt };
    return [{ kind: 'cancellation_scheduled', ...at }];
  }
  return was && !is ? [{ kind: 'cancellation_withdrawn' }] : [];
}

function isEnding({ cancelAtPeriodEnd, cancelAt }: SubscriptionState): boolean {
  return cancelAtPeriodEnd || cancelAt !== undefined;
}
