/** Two tasks over one object: the answer that was given first arrives last (WH4). */
import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import {
  apply,
  applyAll,
  customerWithCard,
  happened,
  openInvoice,
  receive,
  refuseInvoice,
  stage,
  subscribe,
  useEvents,
} from './events-support.ts';

useEvents();

/** The SDK over HTTP; the answer to the first question whose path ends in `id` waits for `meanwhile`. */
function slowStripe(id: string, meanwhile: () => Promise<void>): { stripe: Stripe } {
  const { STRIPE_API_BASE = '', STRIPE_SECRET_KEY = '' } = stage().services.config;
  const { hostname, port } = new URL(STRIPE_API_BASE);
  let isFirst = true;
  const fetchSlowly: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    const asked = url instanceof Request ? url.url : url.toString();
    if (isFirst && new URL(asked).pathname.endsWith(`/${id}`)) {
      isFirst = false;
      await meanwhile();
    }
    return answer;
  };
  const httpClient = Stripe.createFetchHttpClient(fetchSlowly);
  const options = { host: hostname, port: Number(port), protocol: 'http', httpClient } as const;
  return { stripe: new Stripe(STRIPE_SECRET_KEY, { ...options, maxNetworkRetries: 0 }) };
}

/** An object that changes twice, and what we keep of it. */
interface Story {
  id: string;
  first: () => Promise<unknown>;
  second: () => Promise<unknown>;
  stored: () => Promise<unknown>;
  /** What is stored after the one change and after the other. */
  becomes: [unknown, unknown];
}

const stories: Record<string, (customer: string) => Promise<Story>> = {
  subscription: async (customer) => {
    await customerWithCard(customer);
    const id = await subscribe(customer);
    const { stripe, subscriptions } = stage().services;
    return {
      id,
      first: async () => await stripe.subscriptions.update(id, { cancel_at_period_end: true }),
      second: async () => await stripe.subscriptions.update(id, { cancel_at_period_end: false }),
      stored: async () => (await subscriptions.get(id))?.cancelAtPeriodEnd,
      becomes: [true, false],
    };
  },
  invoice: async (customer) => {
    await customerWithCard(customer);
    const id = await openInvoice(customer, 1000);
    const { stripe, invoices, customers } = stage().services;
    return {
      id,
      first: async () => {
        await refuseInvoice(customer, id);
      },
      second: async () => await stripe.invoices.voidInvoice(id),
      stored: async () => [
        (await invoices.get(id))?.status,
        (await customers.get(customer))?.billingStatus,
      ],
      becomes: [
        ['open', 'past_due'],
        ['void', 'none'],
      ],
    };
  },
  'payment intent': async (customer) => {
    await customerWithCard(customer);
    const { stripe, payments } = stage().services;
    const wanted = { customer, amount: 5000, currency: 'usd' };
    const { id } = await stripe.paymentIntents.create(wanted);
    const confirm = async (card: string) =>
      await stripe.paymentIntents.confirm(id, { payment_method: card });
    return {
      id,
      first: async () => {
        await expect(confirm('pm_card_chargeDeclined')).rejects.toThrow('declined');
      },
      second: async () => await confirm('pm_card_visa'),
      stored: async () => (await payments.get(id))?.status,
      becomes: ['failed', 'succeeded'],
    };
  },
  customer: async (customer) => {
    const { stripe, control, customers } = stage().services;
    await control.createCustomer({ id: customer });
    return {
      id: customer,
      first: async () => await stripe.customers.update(customer, { name: 'One' }),
      second: async () => await stripe.customers.update(customer, { name: 'Two' }),
      stored: async () => (await customers.get(customer))?.name,
      becomes: ['One', 'Two'],
    };
  },
};

describe('WH4 the truth that was asked for first is never stored last', () => {
  test.each(Object.entries(stories))('WH4 %s', async (name, begin) => {
    const customer = `cus_${name.replace(' ', '_')}`;
    const { id, first, second, stored, becomes } = await begin(customer);
    const newEvent = async (change: () => Promise<unknown>): Promise<string> => {
      const known = new Set((await happened(id)).map((event) => event.id));
      await change();
      const [event] = (await happened(id)).filter((one) => !known.has(one.id));
      return await receive(event ?? {});
    };
    await applyAll(await happened(id));
    const early = await newEvent(first);
    let between: unknown;
    const slow = slowStripe(id, async () => {
      // Stripe has answered with what the first change made of it; nobody has stored that.
      expect(await apply([await newEvent(second)])).toEqual({ applied: 1 });
      between = await stored();
    });
    expect(await apply([early], slow)).toEqual({ applied: 1 });
    expect([between, await stored()]).toEqual([becomes[1], becomes[1]]);
  });

  test.each(Object.entries(stories))('%s: its two changes are told apart', async (name, begin) => {
    const { id, first, second, stored, becomes } = await begin(`cus_two_${name.length}`);
    await first();
    await applyAll(await happened(id));
    const between = await stored();
    await second();
    await applyAll(await happened(id));
    expect([between, await stored()]).toEqual(becomes);
  });
});
