/** Calls a second; null is: no limit. Meter events may have a limit of their own, as in live mode. */
export type RateLimits = {
  perSecond: number | null;
  meterEventsPerSecond: number | null;
  retryAfterSeconds: number | null;
};

export const noRateLimits: RateLimits = {
  perSecond: null,
  meterEventsPerSecond: null,
  retryAfterSeconds: null,
};

/** A sliding window of one second. A refused call does not count against the limit. */
export class RateLimiter {
  #limits = noRateLimits;
  readonly #general: number[] = [];
  readonly #meterEvents: number[] = [];

  get limits(): RateLimits {
    return this.#limits;
  }

  configure(limits: RateLimits): void {
    this.#limits = limits;
    this.#general.length = 0;
    this.#meterEvents.length = 0;
  }

  /** Whether one more call is allowed at `nowMs` (the machine's time: a frozen clock must not block). */
  allows(path: string, nowMs: number): boolean {
    const { perSecond, meterEventsPerSecond } = this.#limits;
    const own = path === '/v1/billing/meter_events' && meterEventsPerSecond !== null;
    const limit = own ? meterEventsPerSecond : perSecond;
    if (limit === null) return true;
    const calls = own ? this.#meterEvents : this.#general;
    while (calls[0] !== undefined && calls[0] <= nowMs - 1000) calls.shift();
    if (calls.length >= limit) return false;
    calls.push(nowMs);
    return true;
  }
}
