import type { Account } from '../account/account.ts';
import type { Activity } from '../core/activity.ts';
import type { Attempt, Delivery } from './deliveries.ts';
import { payloadOf } from './payload.ts';
import { post } from './post.ts';
import { randomFrom } from './random.ts';
import { retryDelayMs } from './retries.ts';
import type { Endpoint } from './schema.ts';
import { machineSeconds, signatureHeader } from './signature.ts';

/** How webhooks are delivered; the control API changes it, a restart returns to the start options. */
export type DeliverySettings = {
  paused: boolean;
  /** How often each event is sent to each endpoint. */
  copies: number;
  /** Before the first attempt, and by how much more at most, chosen by `seed`. */
  delayMs: number;
  jitterMs: number;
  seed: number;
  /** 1 is Stripe's own backoff of hours; the default is 1/300, so that 5 minutes are a second. */
  retryScale: number;
  maxAttempts: number;
  concurrency: number;
  timeoutMs: number;
};

export const defaultDelivery: DeliverySettings = {
  paused: false,
  copies: 1,
  delayMs: 0,
  jitterMs: 0,
  seed: 1,
  retryScale: 1 / 300,
  maxAttempts: 11,
  concurrency: 8,
  timeoutMs: 10_000,
};

/** Sends what is due, several at a time, oldest first, and again until it was taken or given up. */
export class Deliverer {
  settings: DeliverySettings;
  readonly #account: Account;
  readonly #activity: Activity;
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #random: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isWoken = false;

  constructor(account: Account, activity: Activity, settings: DeliverySettings) {
    this.#account = account;
    this.#activity = activity;
    this.settings = settings;
    this.#random = randomFrom(settings.seed);
  }

  configure(change: Partial<DeliverySettings>): void {
    this.settings = { ...this.settings, ...change };
    if (change.seed !== undefined) this.#random = randomFrom(change.seed);
    this.wake();
  }

  /** Adds the deliveries of an event to an endpoint; they are sent after the present turn. */
  plan(event: { id: string; type: string }, endpoint: Endpoint, copies?: number): Delivery[] {
    const { delayMs, jitterMs } = this.settings;
    const added: Delivery[] = [];
    for (let copy = 0; copy < (copies ?? this.settings.copies); copy += 1) {
      const firstMs = Date.now() + delayMs + Math.floor(this.#random() * jitterMs);
      added.push(this.#account.deliveries.add(event, endpoint.id, firstMs));
    }
    this.wake();
    return added;
  }

  /** Looks for what is due, once this turn's changes are in the journal. */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#sendDue();
    });
  }

  /** One attempt now, whatever is paused; waits for an attempt that is under way. */
  async attempt(id: string): Promise<Attempt | undefined> {
    await this.#inFlight.get(id);
    await this.#start(id);
    return this.#account.deliveries.get(id)?.attempts.at(-1);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await Promise.all(this.#inFlight.values());
  }

  #sendDue(): void {
    clearTimeout(this.#timer);
    if (this.settings.paused || this.#stopping.signal.aborted) return;
    const now = Date.now();
    let nextMs = Infinity;
    for (const { id, nextAttemptAtMs } of this.#account.deliveries.pending()) {
      if (this.#inFlight.size >= this.settings.concurrency) return;
      if (this.#inFlight.has(id)) continue;
      if (nextAttemptAtMs <= now) void this.#start(id);
      else nextMs = Math.min(nextMs, nextAttemptAtMs);
    }
    if (nextMs === Infinity) return;
    this.#timer = setTimeout(
      () => {
        this.#sendDue();
      },
      Math.min(nextMs - now, 60_000),
    );
  }

  async #start(id: string): Promise<void> {
    const sending = this.#send(id).finally(() => {
      this.#inFlight.delete(id);
      this.#activity.changed();
      this.wake();
    });
    this.#inFlight.set(id, sending);
    await sending;
  }

  async #send(id: string): Promise<void> {
    const delivery = this.#account.deliveries.get(id);
    if (delivery === undefined) return;
    const endpoint = this.#account.endpoints.get(delivery.endpoint);
    const payload = payloadOf(this.#account, delivery.event);
    const attempt =
      endpoint === undefined || payload === undefined
        ? { atMs: Date.now(), status: null, ms: 0, error: 'the endpoint or the event is gone' }
        : await this.#post(endpoint, payload);
    if (this.#stopping.signal.aborted) return;
    const isGone = endpoint === undefined || payload === undefined;
    this.#account.deliveries.attempted(id, attempt, this.#next(delivery, attempt, isGone));
  }

  async #post({ url, secret }: Endpoint, payload: string): Promise<Attempt> {
    const signature = signatureHeader(payload, secret, machineSeconds());
    const { timeoutMs } = this.settings;
    return await post(url, payload, signature, timeoutMs, this.#stopping.signal);
  }

  #next(
    delivery: Delivery,
    { status }: Attempt,
    isGone: boolean,
  ): Pick<Delivery, 'state' | 'nextAttemptAtMs'> {
    const { nextAttemptAtMs } = delivery;
    if (status !== null && status >= 200 && status < 300) {
      return { state: 'delivered', nextAttemptAtMs };
    }
    const attempts = delivery.attempts.length + 1;
    if (isGone || attempts >= this.settings.maxAttempts) {
      return { state: 'failed', nextAttemptAtMs };
    }
    const waitMs = retryDelayMs(attempts) * this.settings.retryScale;
    return { state: 'pending', nextAttemptAtMs: Date.now() + waitMs };
  }
}
