/** Events that the double made, taken in and applied by the real activities, in any order. */
import { gzipSync } from 'node:zlib';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect } from 'vitest';
import { applyEvents } from '../../activities/apply-events.ts';
import type { ApplyOutcome } from '../../activities/apply-events.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { effectOf, readEvent } from '../../domain/stripe-events.ts';
import { createTestDependencies } from '../support/dependencies.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';

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

/** What happened and changes something, the oldest first; of the objects that these ids name. */
export async function happened(...ids: readonly string[]): Promise<Stripe.Event[]> {
  const found: Stripe.Event[] = [];
  for await (const event of stage().services.stripe.events.list({ limit: 100 })) {
    const told = JSON.stringify(event.data.object);
    if (effectOf(event.type) === 'ignored') continue;
    if (ids.some((id) => told.includes(`"${id}"`))) found.push(event);
  }
  return found.toReversed();
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

/** A customer with a card that is good for every charge. */
export async function customerWithCard(customer: string, card = 'pm_card_visa'): Promise<string> {
  const { control, stripe } = stage().services;
  await control.createCustomer({ id: customer });
  const method = await stripe.paymentMethods.attach(card, { customer });
  const settings = { default_payment_method: method.id };
  await stripe.customers.update(customer, { invoice_settings: settings });
  return method.id;
}

/** An invoice over one item, final and open. */
export async function openInvoice(customer: string, amount: number): Promise<string> {
  const { stripe } = stage().services;
  const { id } = await stripe.invoices.create({ customer, currency: 'usd' });
  if (amount > 0) {
    await stripe.invoiceItems.create({ customer, invoice: id, amount, currency: 'usd' });
  }
  await stripe.invoices.finalizeInvoice(id);
  return id;
}

/** Tries to collect an invoice by a card that refuses. */
export async function refuseInvoice(customer: string, invoice: string): Promise<void> {
  const { stripe } = stage().services;
  const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
  await expect(stripe.invoices.pay(invoice, { payment_method: card.id })).rejects.toThrow(
    'declined',
  );
}

/** A subscription of five dollars a month, by checkout or at once. */
export async function subscribe(customer: string): Promise<string> {
  const { stripe } = stage().services;
  const { id: product } = await stripe.products.create({ name: 'A month' });
  const recurring = { interval: 'month' as const };
  const wanted = { product, currency: 'usd', unit_amount: 500, recurring };
  const { id: price } = await stripe.prices.create(wanted);
  return (await stripe.subscriptions.create({ customer, items: [{ price }] })).id;
}
