export interface ApiBenchOptions {
  /** Casts a second. */
  casts: number;
  /** Refusals a second. */
  refusals: number;
  seconds: number;
  json: boolean;
  keep: boolean;
}

/** Cents that a cast costs here. */
export const castCents = 7;
/** Room enough for every cast of a run. */
export const wideBudgetCents = 10_000_000;
