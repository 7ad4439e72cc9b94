/** What a row remembers of its past: the newest entries, each once, whatever order they came in. */

/** An item ends at 400 KB: a hundred of the largest entries that Stripe can make are half of it. */
export const mostEntries = 100;

export interface HistoryPlan {
  add: boolean;
  /** Keys of what goes so that the new entry has room. */
  remove: string[];
}

/**
 * Decides what becomes of a new entry. What is kept is always the newest of all that ever came: an entry
 * that went to make room is older than all that stayed, so that it is not taken in again on a repeat.
 */
export function planHistory(
  history: Readonly<Record<string, { at: string }>>,
  key: string,
  entry: { at: string },
  most: number = mostEntries,
): HistoryPlan {
  if (Object.hasOwn(history, key)) return { add: false, remove: [] };
  const entries = [...Object.entries(history), [key, entry] as const];
  const tooMany = entries.length - most;
  if (tooMany <= 0) return { add: true, remove: [] };
  const oldest = entries
    .toSorted((one, other) => compareText(one[1].at, other[1].at) || compareText(one[0], other[0]))
    .slice(0, tooMany)
    .map(([name]) => name);
  return oldest.includes(key) ? { add: false, remove: [] } : { add: true, remove: oldest };
}

/** By code units: the same on every machine, unlike an order by locale. */
function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
