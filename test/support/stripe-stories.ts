/** What customers do at Stripe: each leaves events behind. */
import type Stripe from 'stripe';
import { expect } from 'vitest';
import { effectOf } from '../../domain/stripe-events.ts';
import type { Services } from './services.ts';

export function createStripeStories({ control, stripe }: Pick<Services, 'control' | 'stripe'>) {
  /** What happened and changes something, the oldest first; of the objects that these ids name. */
  async function happened(...ids: readonly string[]): Promise<Stripe.Event[]> {
    const found: Stripe.Event[] = [];
    for await (const event of stripe.events.list({ limit: 100 })) {
      const told = JSON.stringify(event.data.object);
      if (effectOf(event.type) === 'ignored') continue;
      if (ids.some((id) => told.includes(`"${id}"`))) found.push(event);
    }
    return found.toReversed();
  }

  /** A customer with a card that is good for every charge. */
  async function customerWithCard(customer: string, card = 'pm_card_visa'): Promise<string> {
    await control.createCustomer({ id: customer });
    const method = await stripe.paymentMethods.attach(card, { customer });
    const settings = { default_payment_method: method.id };
    await stripe.customers.update(customer, { invoice_settings: settings });
    return method.id;
  }

  /** An invoice over one item, final and open. */
  async function openInvoice(customer: string, amount: number): Promise<string> {
    const { id } = await stripe.invoices.create({ customer, currency: 'usd' });
    if (amount > 0) {
      await stripe.invoiceItems.create({ customer, invoice: id, amount, currency: 'usd' });
    }
    await stripe.invoices.finalizeInvoice(id);
    return id;
  }

  /** Tries to collect an invoice by a card that refuses. */
  async function refuseInvoice(customer: string, invoice: string): Promise<void> {
    const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
    await expect(stripe.invoices.pay(invoice, { payment_method: card.id })).rejects.toThrow(
      'declined',
    );
  }

  /** A one-off payment that the bank declines, and that is left so. */
  async function declinedPayment(customer: string, amount: number): Promise<string> {
    const { id } = await stripe.paymentIntents.create({ customer, amount, currency: 'usd' });
    const card = { payment_method: 'pm_card_chargeDeclined' };
    await expect(stripe.paymentIntents.confirm(id, card)).rejects.toThrow('declined');
    return id;
  }

  /** A subscription of five dollars a month, paid at once. */
  async function subscribe(customer: string): Promise<string> {
    const { id: product } = await stripe.products.create({ name: 'A month' });
    const recurring = { interval: 'month' as const };
    const wanted = { product, currency: 'usd', unit_amount: 500, recurring };
    const { id: price } = await stripe.prices.create(wanted);
    return (await stripe.subscriptions.create({ customer, items: [{ price }] })).id;
  }

  return { happened, customerWithCard, openInvoice, refuseInvoice, declinedPayment, subscribe };
}
