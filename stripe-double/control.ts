import { z } from 'zod';
import type { Call } from './control/caller.ts';
import { createCaller, toQuery } from './control/caller.ts';
import type {
  ClockRequest,
  CustomerRequest,
  DoubleClock,
  DoubleCustomer,
  DoubleEvent,
  DoubleEventPage,
  DoubleFault,
  DoubleRequest,
  DoubleSettings,
  DoubleState,
  DoubleSum,
  EventQuery,
  FaultRequest,
  SettingsRequest,
  WaitQuery,
  WaitResult,
} from './control/contract.ts';
import * as contract from './control/contract.ts';
import type { WebhookControl } from './control/webhook-client.ts';
import { webhookCalls } from './control/webhook-client.ts';

/** The control API of a running double, typed. */
export type StripeControl = WebhookControl & {
  /** Adds a fault; see the README for what each kind does. */
  fault: (spec: FaultRequest) => Promise<DoubleFault>;
  faults: () => Promise<DoubleFault[]>;
  /** Removes one fault, or all. What already hangs goes on hanging. */
  clearFaults: (id?: string) => Promise<void>;
  /** Breaks the connections of all hanging requests; tells how many there were. */
  releaseHanging: () => Promise<number>;
  clock: () => Promise<DoubleClock>;
  /** Sets the clock (ISO 8601 or milliseconds). It stands still there unless it is to tick. */
  setClock: (now: string | number, options?: { ticking?: boolean }) => Promise<DoubleClock>;
  advanceClock: (advanceMs: number) => Promise<DoubleClock>;
  resetClock: () => Promise<DoubleClock>;
  settings: () => Promise<DoubleSettings>;
  /** Changes rate limits, summary lag and latency; what is not named stays. */
  configure: (settings: SettingsRequest) => Promise<DoubleSettings>;
  createCustomer: (customer: CustomerRequest) => Promise<DoubleCustomer>;
  /** Everything the double accepted, summed exactly per customer and meter. */
  sums: () => Promise<DoubleSum[]>;
  /** The exact total of one customer and meter; '0' when there is none. */
  total: (customer: string, eventName: string) => Promise<string>;
  /** All accepted meter events that fit, newest first, through all pages. */
  events: (query?: Omit<EventQuery, 'limit' | 'before'>) => Promise<DoubleEvent[]>;
  eventPage: (query?: EventQuery) => Promise<DoubleEventPage>;
  requests: () => Promise<DoubleRequest[]>;
  state: (query?: EventQuery) => Promise<DoubleState>;
  /** Waits without sleeping until every figure is at least so high; throws at the timeout. */
  wait: (query: WaitQuery) => Promise<WaitResult>;
  waitForHanging: (count?: number, timeoutMs?: number) => Promise<WaitResult>;
  /** Waits until no API request is in flight. */
  waitForIdle: (timeoutMs?: number) => Promise<WaitResult>;
  /** Forgets everything: objects, events, keys, faults, settings, clock. */
  reset: () => Promise<void>;
};

/** As long as the double answers a wait at all: it ends as soon as what is waited for is there. */
const longestWaitMs = 120_000;

/** A client of the control API at `url`, such as `http://127.0.0.1:12111`. */
export function createStripeControl(url: string): StripeControl {
  const call = createCaller(`${url.replace(/\/$/, '')}/_double`);
  const putClock = async (body: ClockRequest): Promise<DoubleClock> =>
    await call('PUT', '/clock', contract.clockSchema, body);
  const eventPage = async (query: EventQuery = {}): Promise<DoubleEventPage> =>
    await call('GET', `/events${toQuery(query)}`, contract.eventPageSchema);
  const sums = async (): Promise<DoubleSum[]> => await call('GET', '/sums', contract.sumsSchema);
  const wait = async (query: WaitQuery): Promise<WaitResult> =>
    await call('GET', `/wait${toQuery(query)}`, contract.waitSchema);
  return {
    ...faultCalls(call),
    ...webhookCalls(call),
    clock: async () => await call('GET', '/clock', contract.clockSchema),
    setClock: async (now, options = {}) => await putClock({ now, ...options }),
    advanceClock: async (advanceMs) => await putClock({ advanceMs }),
    resetClock: async () => await putClock({ reset: true }),
    settings: async () => await call('GET', '/settings', contract.settingsSchema),
    configure: async (settings) =>
      await call('PUT', '/settings', contract.settingsSchema, settings),
    createCustomer: async (customer) =>
      await call('POST', '/customers', contract.customerSchema, customer),
    sums,
    total: async (customer, eventName) => {
      const found = (await sums()).find(
        (sum) => sum.customer === customer && sum.eventName === eventName,
      );
      return found?.total ?? '0';
    },
    events: async (query = {}) => await allEvents(eventPage, query),
    eventPage,
    requests: async () => await call('GET', '/requests', z.array(contract.requestSchema)),
    state: async (query = {}) => await call('GET', `/state${toQuery(query)}`, contract.stateSchema),
    wait,
    waitForHanging: async (hanging = 1, timeoutMs = longestWaitMs) =>
      await wait({ hanging, timeoutMs }),
    waitForIdle: async (timeoutMs = longestWaitMs) => await wait({ inFlightAtMost: 0, timeoutMs }),
    reset: async () => {
      await call('POST', '/reset', z.unknown());
    },
  };
}

function faultCalls(call: Call) {
  const faultList = z.array(contract.faultSchema);
  return {
    fault: async (spec: FaultRequest) => await call('POST', '/faults', contract.faultSchema, spec),
    faults: async () => await call('GET', '/faults', faultList),
    clearFaults: async (id?: string) => {
      await call('DELETE', id === undefined ? '/faults' : `/faults/${id}`, faultList);
    },
    releaseHanging: async () =>
      (await call('POST', '/release', z.object({ released: z.int() }))).released,
  };
}

async function allEvents(
  eventPage: (query: EventQuery) => Promise<DoubleEventPage>,
  query: EventQuery,
): Promise<DoubleEvent[]> {
  const events: DoubleEvent[] = [];
  let before: number | undefined;
  for (;;) {
    const page = await eventPage({ ...query, limit: 1000, before });
    events.push(...page.events);
    before = page.events.at(-1)?.sequence;
    if (!page.hasMore) return events;
  }
}
