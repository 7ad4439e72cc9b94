/**
 * A record's life is bounded (DL12): its beginning and its newest lines, and how many in between are left
 * out. A row of DynamoDB ends at 400 KB, and a record must never be stuck because of what befell it.
 */

/** One step in a record's life, oldest first (DL10). */
export interface LifeEvent {
  at: string;
  what: string;
}

export interface Life {
  life: LifeEvent[];
  /** Lines between the first and the newest ones that made room; none when left out. */
  lifeLeftOut?: number;
}

export const firstLines = 10;
const newestLines = 40;
export const mostLines = firstLines + newestLines;

/** One line is cut to this length: fifty of them weigh 15 KB at most. */
const longestLine = 240;

export function lifeLine(at: string, what: string): LifeEvent {
  return { at, what: what.slice(0, longestLine) };
}

/** With one more line; a life that is too long already, from before it was bounded, is made short as well. */
export function lengthen({ life, lifeLeftOut = 0 }: Life, line: LifeEvent): Life {
  const all = [...life, line];
  const tooMany = all.length - mostLines;
  if (tooMany <= 0) return lifeLeftOut === 0 ? { life: all } : { life: all, lifeLeftOut };
  return {
    life: [...all.slice(0, firstLines), ...all.slice(-newestLines)],
    lifeLeftOut: lifeLeftOut + tooMany,
  };
}
