/** One API request as people may see it; never with its authorization header. */
export type LoggedRequest = {
  requestId: string;
  atMs: number;
  method: string;
  path: string;
  idempotencyKey: string | null;
  /** null while it is in flight, and when it was never answered. */
  status: number | null;
  fault: string | null;
  replayed: boolean;
  ms: number | null;
};

export type Concurrency = { customer: string; eventName: string; maxConcurrent: number };

const loggedRequests = 500;

/** What is going on now, and what went on lately. In memory only: a restart starts a new account. */
export class Activity {
  #requests: LoggedRequest[] = [];
  #total = 0;
  #inFlight = 0;
  readonly #hanging = new Set<() => void>();
  readonly #locked = new Map<string, number>();
  readonly #concurrency = new Map<string, Concurrency>();
  readonly #watchers = new Set<() => void>();

  get inFlight(): number {
    return this.#inFlight;
  }

  get hanging(): number {
    return this.#hanging.size;
  }

  get totalRequests(): number {
    return this.#total;
  }

  /** The last few hundred requests, newest first. */
  requests(limit = loggedRequests): LoggedRequest[] {
    return this.#requests.slice(-limit).reverse();
  }

  concurrency(): Concurrency[] {
    return [...this.#concurrency.values()];
  }

  started(request: LoggedRequest): void {
    this.#total += 1;
    this.#inFlight += 1;
    this.#requests.push(request);
    if (this.#requests.length > loggedRequests * 2) {
      this.#requests = this.#requests.slice(-loggedRequests);
    }
    this.changed();
  }

  ended(): void {
    this.#inFlight -= 1;
    this.changed();
  }

  /** Counts one more caller for a customer and meter; false when another one is at it already. */
  enter(customer: string, eventName: string): boolean {
    const key = JSON.stringify([customer, eventName]);
    const callers = (this.#locked.get(key) ?? 0) + 1;
    this.#locked.set(key, callers);
    const known = this.#concurrency.get(key) ?? { customer, eventName, maxConcurrent: 0 };
    known.maxConcurrent = Math.max(known.maxConcurrent, callers);
    this.#concurrency.set(key, known);
    return callers === 1;
  }

  leave(customer: string, eventName: string): void {
    const key = JSON.stringify([customer, eventName]);
    const callers = (this.#locked.get(key) ?? 1) - 1;
    if (callers === 0) this.#locked.delete(key);
    else this.#locked.set(key, callers);
  }

  /** Waits until `gone` resolves, and is told apart as hanging meanwhile. */
  async hang(gone: Promise<void>, release: () => void): Promise<void> {
    this.#hanging.add(release);
    this.changed();
    await gone;
    this.#hanging.delete(release);
    this.changed();
  }

  /** Breaks the connection of every hanging request. */
  releaseHanging(): number {
    const released = [...this.#hanging];
    for (const release of released) release();
    return released.length;
  }

  /** Tells the waiters to look again. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with true as soon as `reached` holds, with false after `timeoutMs` or when aborted. */
  async waitFor(reached: () => boolean, timeoutMs: number, abort: AbortSignal): Promise<boolean> {
    if (reached()) return true;
    return await new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        abort.removeEventListener('abort', settle);
        resolve(reached());
      };
      const look = (): void => {
        if (reached()) settle();
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#watchers.add(look);
      abort.addEventListener('abort', settle);
    });
  }

  /** Forgets the past; what is in flight stays counted. */
  reset(): void {
    this.#requests = [];
    this.#total = 0;
    this.#concurrency.clear();
    this.changed();
  }
}
