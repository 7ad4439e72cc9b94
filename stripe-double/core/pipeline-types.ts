import type { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { Matched } from './router.ts';
import type { Store } from './store.ts';

/** A request as it came in. `gone` resolves when the client has left. */
export type Incoming = {
  method: string;
  path: string;
  query: string;
  header: (name: string) => string | undefined;
  readBody: () => Promise<string>;
  gone: Promise<void>;
  /** Breaks the connection without an answer. */
  destroy: () => void;
};

/** What goes out; `dropped` means that there is no answer, the connection being broken. */
export type Outgoing =
  | { kind: 'answer'; status: number; body: string; headers: Record<string, string> }
  | { kind: 'dropped' };

/** All that a request meets on its way. */
export type Pipeline = {
  secretKeys: readonly string[];
  findRoute: (method: string, path: string) => Matched | undefined;
  clock: Clock;
  store: Store;
  keys: IdempotencyKeys;
  limiter: RateLimiter;
  faults: Faults;
  activity: Activity;
  settings: { latencyMs: number };
  /** Runs an endpoint with its request named, for the events that it makes. */
  during: <Result>(request: RequestName, work: () => Result) => Result;
};

/** What an event says of the request that made it. */
export type RequestName = { id: string; idempotency_key: string | null };
