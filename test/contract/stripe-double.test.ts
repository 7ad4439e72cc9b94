/**
 * What the double shows is held against what Stripe publishes: stripe-mock answers with fixtures of
 * Stripe's OpenAPI, and each object's fields must be those of its fixture. stripe-mock knows the
 * version 2026-08-26.dahlia, the SDK is at 2026-10-28.endive: what came in between is named here, and
 * checked by the compiler, for the double's views are typed by the SDK's own types.
 */
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startStripeMock } from '../../dev/stack/stripe-mock.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { startBilling } from '../../stripe-double/test/billing-support.ts';
import { idOf, sdkFor } from '../../stripe-double/test/support.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'stripe-shapes-'));
let mock: RunningServer;
let fixtures: Stripe;

beforeAll(async () => {
  mock = await startStripeMock({ dataDir });
  fixtures = sdkFor(Number(new URL(mock.url).port), 'sk_test_123');
});
afterAll(async () => {
  await mock.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

type Pairs = Record<string, [ours: unknown, theirs: unknown]>;

/** The fields that the double has and the fixture has not (+), and the other way round (-). */
function differences(pairs: Pairs): Record<string, string[]> {
  const found = Object.entries(pairs).map(([name, [ours, theirs]]): [string, string[]] => {
    const [own, fixture] = [fieldsOf(name, ours), fieldsOf(name, theirs)];
    const added = own.filter((field) => !fixture.includes(field)).map((field) => `+${field}`);
    const lacking = fixture.filter((field) => !own.includes(field)).map((field) => `-${field}`);
    return [name, [...added, ...lacking].toSorted()];
  });
  return Object.fromEntries(found.filter(([, fields]) => fields.length > 0));
}

function fieldsOf(name: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) throw new Error(`There is no ${name}`);
  const fields = Object.keys(value);
  if (fields.length < 5) throw new Error(`${name} is hardly there`);
  return fields;
}

async function startShown() {
  const billing = await startBilling();
  const { stripe, control, licensed } = billing;
  await control.configureWebhooks({ paused: true });
  const subscription = await stripe.subscriptions.create({
    customer: 'cus_1',
    items: [{ price: licensed.id, quantity: 1 }],
  });
  const invoice = await stripe.invoices.retrieve(idOf(subscription.latest_invoice));
  const payments = await stripe.invoicePayments.list({ invoice: invoice.id });
  const [payment] = payments.data;
  const intent = await stripe.paymentIntents.retrieve(idOf(payment?.payment.payment_intent));
  return { ...billing, subscription, invoice, payment, intent };
}

test('fields of billing objects are those of Stripe', async () => {
  const { stripe, subscription, invoice, payment, intent } = await startShown();
  const theirSubscription = await fixtures.subscriptions.retrieve('sub_1');
  const theirInvoice = await fixtures.invoices.retrieve('in_1');
  const theirPayments = await fixtures.invoicePayments.list();
  const item = await stripe.invoiceItems.create({
    amount: 100,
    currency: 'usd',
    customer: 'cus_1',
  });
  const [event] = (await stripe.events.list()).data;
  const found = differences({
    subscription: [subscription, theirSubscription],
    subscriptionItem: [subscription.items.data[0], theirSubscription.items.data[0]],
    invoice: [invoice, theirInvoice],
    preview: [
      await stripe.invoices.createPreview({ customer: 'cus_1' }),
      await fixtures.invoices.createPreview({ customer: 'cus_1' }),
    ],
    line: [invoice.lines.data[0], theirInvoice.lines.data[0]],
    invoicePayment: [payment, theirPayments.data[0]],
    invoiceItem: [item, await fixtures.invoiceItems.retrieve('ii_1')],
    intent: [intent, await fixtures.paymentIntents.retrieve('pi_1')],
    charge: [
      await stripe.charges.retrieve(idOf(intent.latest_charge)),
      await fixtures.charges.retrieve('ch_1'),
    ],
    event: [event, await fixtures.events.retrieve('evt_1')],
  });
  expect(found).toEqual({
    // Required by the SDK, hidden by stripe-mock (source), and optional: only with refunds expanded.
    charge: ['+source', '-refunds'],
    // New since dahlia (payment_record).
    intent: ['+payment_record', '+source'],
    // Optional in the SDK.
    invoice: ['-amount_paid_off_stripe'],
    preview: ['-amount_paid_off_stripe'],
    invoiceItem: ['-net_amount'],
    // New since dahlia (current_trial), and required by the SDK, hidden by stripe-mock (plan).
    subscriptionItem: ['+current_trial', '+plan'],
  });
});

test('fields of checkout, portal and endpoints are those of Stripe', async () => {
  const { stripe, card, licensed } = await startShown();
  const session = await stripe.checkout.sessions.create({
    line_items: [{ price: licensed.id, quantity: 1 }],
    mode: 'subscription',
    success_url: 'http://127.0.0.1/ok',
    expand: ['line_items'],
  });
  const endpoint = await stripe.webhookEndpoints.create({
    enabled_events: ['*'],
    url: 'http://127.0.0.1:9/hook',
  });
  const theirSession = await fixtures.checkout.sessions.retrieve('cs_1');
  const theirItems = await fixtures.checkout.sessions.listLineItems('cs_1');
  const found = differences({
    session: [session, theirSession],
    lineItem: [session.line_items?.data[0], theirItems.data[0]],
    portal: [
      await stripe.billingPortal.sessions.create({ customer: 'cus_1' }),
      await fixtures.billingPortal.sessions.create({ customer: 'cus_1' }),
    ],
    endpoint: [
      await stripe.webhookEndpoints.retrieve(endpoint.id),
      await fixtures.webhookEndpoints.retrieve('we_1'),
    ],
    method: [card, await fixtures.paymentMethods.retrieve('pm_1')],
  });
  // New since dahlia, and expanded.
  expect(found).toEqual({ session: ['+allowed_payment_method_types', '+line_items'] });
});

/** The calls of this folder's tests, with every parameter that our code may come to send. */
function requestsOf(stripe: Stripe): (() => Promise<unknown>)[] {
  const [customer, price] = ['cus_1', 'price_1'];
  const urls = { success_url: 'http://a.test/ok', cancel_url: 'http://a.test/no' };
  return [
    async () =>
      await stripe.subscriptions.create({
        customer,
        items: [{ price, quantity: 1 }],
        metadata: { a: 'b' },
        payment_behavior: 'allow_incomplete',
      }),
    async () => await stripe.subscriptions.list({ customer, status: 'all' }),
    async () =>
      await stripe.subscriptions.update('sub_1', {
        cancel_at_period_end: true,
        items: [{ id: 'si_1', price, quantity: 1 }],
        pause_collection: { behavior: 'void' },
        proration_behavior: 'none',
      }),
    async () => await stripe.subscriptions.cancel('sub_1', { invoice_now: true }),
    async () => await stripe.subscriptions.resume('sub_1'),
    async () =>
      await stripe.invoices.create({
        auto_advance: false,
        collection_method: 'send_invoice',
        customer,
        days_until_due: 30,
        pending_invoice_items_behavior: 'include',
      }),
    async () =>
      await stripe.invoiceItems.create({ amount: 1, currency: 'usd', customer, invoice: 'in_1' }),
    async () => await stripe.invoiceItems.create({ customer, pricing: { price }, quantity: 2 }),
    async () => await stripe.invoices.finalizeInvoice('in_1', { auto_advance: true }),
    async () => await stripe.invoices.pay('in_1', { payment_method: 'pm_card_visa' }),
    async () => await stripe.invoices.list({ customer, status: 'open', subscription: 'sub_1' }),
    async () => await stripe.invoices.voidInvoice('in_1'),
    async () => await stripe.invoices.sendInvoice('in_1'),
    async () => await stripe.invoicePayments.list({ invoice: 'in_1', status: 'paid' }),
    async () =>
      await stripe.paymentIntents.create({
        amount: 100,
        automatic_payment_methods: { allow_redirects: 'never', enabled: true },
        confirm: true,
        currency: 'jpy',
        customer,
        off_session: true,
        payment_method: 'pm_card_visa',
      }),
    async () =>
      await stripe.paymentIntents.confirm('pi_1', { payment_method: 'pm_card_chargeDeclined' }),
    async () => await stripe.paymentIntents.cancel('pi_1', { cancellation_reason: 'abandoned' }),
    async () =>
      await stripe.checkout.sessions.create({
        ...urls,
        client_reference_id: 'user_1',
        customer,
        line_items: [{ price }],
        mode: 'subscription',
        subscription_data: { metadata: { a: 'b' } },
      }),
    async () => await stripe.checkout.sessions.list({ status: 'open' }),
    async () => await stripe.checkout.sessions.expire('cs_1'),
    async () =>
      await stripe.billingPortal.sessions.create({ customer, return_url: 'http://a.test' }),
    async () =>
      await stripe.events.list({
        created: { gte: 1 },
        delivery_success: false,
        types: ['invoice.paid', 'customer.subscription.updated'],
      }),
  ];
}

test('Stripe knows the parameters that the double takes', async () => {
  const refused: unknown[] = [];
  for (const request of requestsOf(fixtures)) {
    await request().catch((error: unknown) => refused.push(error));
  }
  expect(refused).toEqual([]);
  const { stripe } = await startBilling();
  for (const request of requestsOf(stripe)) {
    const answer = await request().then(
      () => 'taken',
      ({ code }: Stripe.errors.StripeError) => code,
    );
    // Their objects do not exist here; their parameters do.
    expect(['taken', 'resource_missing']).toContain(answer);
  }
});
