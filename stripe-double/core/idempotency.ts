import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import { StripeError } from './errors.ts';
import type { FormObject } from './form.ts';
import { flatten } from './form.ts';
import type { Collection, Store } from './store.ts';

/** An answer as it goes out. */
export type Answer = { status: number; body: string };

const savedSchema = z.object({
  fingerprint: z.string(),
  status: z.int(),
  body: z.string(),
  requestId: z.string(),
  savedAtMs: z.number(),
});
type Saved = z.infer<typeof savedSchema>;

const keyLifetimeMs = 24 * 60 * 60 * 1000;
const maximumKeyLength = 255;
const sweptPerSave = 2;

/**
 * Idempotency keys (https://docs.stripe.com/api/idempotent_requests): the first answer of a key is
 * kept for 24 hours, a 500 as much as a 200, if the endpoint had begun to execute.
 */
export class IdempotencyKeys {
  readonly #clock: Clock;
  readonly #saved: Collection<Saved>;
  readonly #inProgress = new Set<string>();

  constructor(store: Store, clock: Clock) {
    this.#clock = clock;
    this.#saved = store.open('idempotency', savedSchema, (row) => this.#isAlive(row as Saved));
  }

  /** The saved answer for a finished request, or undefined after the key was taken. */
  begin(key: string, fingerprint: string): (Answer & { requestId: string }) | undefined {
    if (key.length > maximumKeyLength) {
      const message = `Idempotency keys can be at most ${maximumKeyLength} characters long.`;
      throw new StripeError(400, message, { type: 'idempotency_error' });
    }
    const saved = this.#saved.get(key);
    if (saved !== undefined && this.#isAlive(saved)) {
      if (saved.fingerprint !== fingerprint) throw otherParameters(key);
      return saved;
    }
    if (this.#inProgress.has(key)) throw inUse(key);
    this.#inProgress.add(key);
    return undefined;
  }

  save(key: string, fingerprint: string, requestId: string, answer: Answer): void {
    this.#saved.remove(key);
    this.#saved.put(key, { fingerprint, ...answer, requestId, savedAtMs: this.#clock.nowMs() });
    this.#sweep();
  }

  end(key: string): void {
    this.#inProgress.delete(key);
  }

  reset(): void {
    this.#inProgress.clear();
  }

  #isAlive(saved: Saved): boolean {
    return this.#clock.nowMs() - saved.savedAtMs < keyLifetimeMs;
  }

  #sweep(): void {
    let swept = 0;
    for (const [key, saved] of this.#saved.entries()) {
      if (swept === sweptPerSave || this.#isAlive(saved)) return;
      this.#saved.remove(key);
      swept += 1;
    }
  }
}

/** What makes two requests under one key the same. */
export function fingerprintOf(method: string, path: string, params: FormObject): string {
  return createHash('sha256')
    .update(JSON.stringify([method, path, flatten(params)]))
    .digest('base64url');
}

function otherParameters(key: string): StripeError {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeError(400, message, { type: 'idempotency_error' });
}

function inUse(key: string): StripeError {
  const message = `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`;
  return new StripeError(409, message, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
  });
}
