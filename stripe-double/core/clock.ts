/** What the control API and the page tell about the clock. */
export type ClockState = { nowMs: number; mode: 'real' | 'shifted' | 'frozen' };

/** How a clock departs from the real one; this is what survives a restart. */
export type ClockSetting = { frozenAtMs: number | null; offsetMs: number };

/**
 * The double's clock. Setting it freezes it, so that a test's figures do not depend on how fast the
 * machine is; advancing a clock that still ticks shifts it and leaves it ticking.
 */
export class Clock {
  readonly #realNow: () => number;
  #setting: ClockSetting = { frozenAtMs: null, offsetMs: 0 };

  constructor(realNow: () => number) {
    this.#realNow = realNow;
  }

  /** The double's time in milliseconds. */
  nowMs(): number {
    return this.#setting.frozenAtMs ?? this.#realNow() + this.#setting.offsetMs;
  }

  /** The double's time in whole seconds, as Stripe's objects carry it. */
  nowSeconds(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** The machine's time, for what must go on while the clock is frozen (rates, how long a call took). */
  realNowMs(): number {
    return this.#realNow();
  }

  set(atMs: number, ticking: boolean): void {
    this.#setting = ticking
      ? { frozenAtMs: null, offsetMs: atMs - this.#realNow() }
      : { frozenAtMs: atMs, offsetMs: 0 };
  }

  advance(byMs: number): void {
    const { frozenAtMs, offsetMs } = this.#setting;
    this.#setting =
      frozenAtMs === null
        ? { frozenAtMs, offsetMs: offsetMs + byMs }
        : { frozenAtMs: frozenAtMs + byMs, offsetMs };
  }

  reset(): void {
    this.#setting = { frozenAtMs: null, offsetMs: 0 };
  }

  get setting(): ClockSetting {
    return this.#setting;
  }

  restore(setting: ClockSetting): void {
    this.#setting = setting;
  }

  get state(): ClockState {
    const { frozenAtMs, offsetMs } = this.#setting;
    const mode = frozenAtMs !== null ? 'frozen' : offsetMs === 0 ? 'real' : 'shifted';
    return { nowMs: this.nowMs(), mode };
  }
}
