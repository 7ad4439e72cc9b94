/** Which events of a line are waiting, and which were settled lately. The inbox remembers all of them. */
import type { CustomerInput, EventArrival } from '../domain/event-runs.ts';

const mostRemembered = 1000;

export function createEventLine(from: Pick<CustomerInput, 'waiting' | 'settled'>) {
  const waiting = new Set(from.waiting);
  const settled = new Set(from.settled);
  let dying: string | undefined;
  /** Redriven while it was being laid aside: its letter is open by then. */
  const wantedAgain = new Set<string>();

  function arrive({ eventId, again = false }: EventArrival): void {
    if (again) settled.delete(eventId);
    if (again && eventId === dying) wantedAgain.add(eventId);
    if (!settled.has(eventId)) waiting.add(eventId);
  }

  function settle(eventId: string): void {
    waiting.delete(eventId);
    settled.add(eventId);
    const [oldest] = settled;
    if (settled.size > mostRemembered && oldest !== undefined) settled.delete(oldest);
  }

  return {
    arrive,
    settle,
    count: () => waiting.size,
    /** Those that came first. */
    first: (most: number) => [...waiting].slice(0, most),
    /** Settled when `work` is done; waiting anew if it was redriven meanwhile. */
    layAside: async (eventId: string, work: () => Promise<void>): Promise<void> => {
      dying = eventId;
      await work();
      dying = undefined;
      settle(eventId);
      if (wantedAgain.delete(eventId)) arrive({ eventId, again: true });
    },
    /** For the next run. */
    left: () => ({ waiting: [...waiting], settled: [...settled] }),
  };
}
