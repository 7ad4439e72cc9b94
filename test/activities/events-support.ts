/** Events that the double made, taken in and applied by the real activities, in any order. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect } from 'vitest';
import { applyEvents } from '../../activities/apply-events.ts';
import type { ApplyOutcome } from '../../activities/apply-events.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { readEvent } from '../../domain/stripe-events.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { createStripeStories } from '../support/stripe-stories.ts';

let services: Services | undefined;
let deps: Dependencies | undefined;

/** Real tables and the double, which delivers nothing by itself. */
export function useEvents(): void {
  beforeAll(async () => {
    services = await startServices();
    ({ deps } = createTestDependencies(services));
    await services.control.configureWebhooks({ paused: true });
  });
  afterAll(async () => {
    await services?.stop();
  });
}

export function stage(): { services: Services; deps: Dependencies } {
  if (services === undefined || deps === undefined) throw new Error('nothing is started');
  return { services, deps };
}

export async function receive(event: object): Promise<string> {
  const facts = readEvent(event);
  if (facts === undefined) throw new Error('it is no event');
  const packed = gzipSync(JSON.stringify(event));
  await stage().services.webhookEvents.put(facts, 'received', packed);
  return facts.eventId;
}

export async function apply(
  eventIds: readonly string[],
  changes: Partial<Dependencies> = {},
): Promise<ApplyOutcome> {
  const order = { eventIds };
  return await applyEvents({ ...stage().deps, ...changes }, order, new AbortController().signal);
}

/** In one task as far as a task goes, then the next; or each by itself. */
export async function applyAll(
  events: readonly { id: string }[],
  how: 'together' | 'apart' = 'together',
): Promise<void> {
  for (const event of events) await receive(event);
  let left = events.map(({ id }) => id);
  while (left.length > 0) {
    const { applied, failure } = await apply(how === 'together' ? left : left.slice(0, 1));
    expect(failure).toBeUndefined();
    left = left.slice(applied);
  }
}

export const standing = async (customer: string) =>
  (await stage().services.customers.get(customer))?.billingStatus;

type Stories = ReturnType<typeof createStripeStories>;
const stories = (): Stories => createStripeStories(stage().services);
export const happened: Stories['happened'] = async (...ids) => await stories().happened(...ids);
export const customerWithCard: Stories['customerWithCard'] = async (...of) =>
  await stories().customerWithCard(...of);
export const openInvoice: Stories['openInvoice'] = async (...of) =>
  await stories().openInvoice(...of);
export const refuseInvoice: Stories['refuseInvoice'] = async (...of) => {
  await stories().refuseInvoice(...of);
};
export const declinedPayment: Stories['declinedPayment'] = async (...of) =>
  await stories().declinedPayment(...of);
export const subscribe: Stories['subscribe'] = async (...of) => await stories().subscribe(...of);
