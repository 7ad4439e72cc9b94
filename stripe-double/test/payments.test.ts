import type Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { startBilling } from './billing-support.ts';
import { failureOf, idOf } from './support.ts';

describe('payment intents', () => {
  test('are paid by a test card, once per idempotency key', async () => {
    const { stripe, eventTypes } = await startBilling();
    const params: Stripe.PaymentIntentCreateParams = {
      amount: 2400,
      confirm: true,
      currency: 'jpy',
      customer: 'cus_1',
      metadata: { server: 's-1' },
      off_session: true,
      payment_method: 'pm_card_visa',
    };
    const paid = await stripe.paymentIntents.create(params, { idempotencyKey: 'uptime-1' });
    const again = await stripe.paymentIntents.create(params, { idempotencyKey: 'uptime-1' });
    expect(again.id).toBe(paid.id);
    expect(paid).toMatchObject({ amount_received: 2400, currency: 'jpy', status: 'succeeded' });
    expect((await stripe.paymentIntents.list({ customer: 'cus_1' })).data).toHaveLength(1);
    const charge = await stripe.charges.retrieve(idOf(paid.latest_charge));
    expect(charge).toMatchObject({ paid: true, payment_intent: paid.id });
    expect(await eventTypes(['payment_intent', 'charge'])).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
  });

  test.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
  ])('%s is a 402 with %s, and another card pays', async (card, declineCode) => {
    const { stripe, eventTypes } = await startBilling();
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    const declined = await stripe.paymentIntents
      .confirm(intent.id, { payment_method: card })
      .catch((error: unknown) => error as Stripe.errors.StripeCardError);
    expect(declined).toMatchObject({
      code: 'card_declined',
      decline_code: declineCode,
      payment_intent: { id: intent.id, status: 'requires_payment_method' },
      statusCode: 402,
      type: 'StripeCardError',
    });
    const failed = await stripe.paymentIntents.retrieve(intent.id);
    expect(failed.last_payment_error).toMatchObject({ decline_code: declineCode });
    const paid = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
    expect(paid).toMatchObject({ status: 'succeeded', last_payment_error: null });
    expect(await eventTypes(['payment_intent'])).toEqual([
      'payment_intent.created',
      'payment_intent.payment_failed',
      'payment_intent.succeeded',
    ]);
    const cancel = stripe.paymentIntents.cancel(intent.id);
    expect(await failureOf(cancel)).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  test('are refused when too small, and know no payment_method_types', async () => {
    const { stripe, post } = await startBilling();
    const small = stripe.paymentIntents.create({ amount: 49, currency: 'jpy' });
    expect(await failureOf(small)).toMatchObject({ code: 'amount_too_small' });
    const form = 'amount=100&currency=usd&payment_method_types[]=card';
    expect((await post('/v1/payment_intents', form)).body).toContain('parameter_unknown');
    const action = await stripe.paymentIntents.create({
      amount: 100,
      confirm: true,
      currency: 'usd',
      payment_method: 'pm_card_authenticationRequired',
    });
    expect(action).toMatchObject({ status: 'requires_action' });
    const { status } = await stripe.paymentIntents.cancel(action.id);
    expect(status).toBe('canceled');
  });
});

describe('invoices', () => {
  test('go from draft over open to paid, with items and their price', async () => {
    const { stripe, eventTypes } = await startBilling();
    await stripe.invoiceItems.create({ amount: 300, currency: 'usd', customer: 'cus_1' });
    const draft = await stripe.invoices.create({
      auto_advance: false,
      customer: 'cus_1',
      metadata: { month: '2026-10' },
      pending_invoice_items_behavior: 'include',
    });
    await stripe.invoiceItems.create({
      amount: 700,
      currency: 'usd',
      customer: 'cus_1',
      description: '12 hours',
      invoice: draft.id,
    });
    const open = await stripe.invoices.finalizeInvoice(draft.id, { expand: ['payments'] });
    expect(open).toMatchObject({ amount_due: 1000, number: expect.any(String) as unknown });
    expect([open.status, open.payments?.data[0]?.status]).toEqual(['open', 'open']);
    const { data } = await stripe.invoices.listLineItems(draft.id);
    expect(data.map(({ amount, description }) => [amount, description])).toEqual([
      [300, null],
      [700, '12 hours'],
    ]);
    const paid = await stripe.invoices.pay(draft.id);
    expect(paid).toMatchObject({ amount_paid: 1000, amount_remaining: 0, status: 'paid' });
    const payments = await stripe.invoicePayments.list({ invoice: draft.id });
    expect(payments.data).toMatchObject([{ amount_paid: 1000, status: 'paid' }]);
    const late = stripe.invoiceItems.create({
      amount: 1,
      currency: 'usd',
      customer: 'cus_1',
      invoice: draft.id,
    });
    expect(await failureOf(late)).toMatchObject({ code: 'invoice_not_editable' });
    expect(await failureOf(stripe.invoices.pay(draft.id))).toMatchObject({ statusCode: 400 });
    const types = await eventTypes(['invoice.']);
    expect(types.filter((type) => type !== 'invoice.updated')).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
  });

  test('are sent, voided, and paid out of band', async () => {
    const { stripe } = await startBilling();
    const create = async (): Promise<string> => {
      const { id } = await stripe.invoices.create({
        collection_method: 'send_invoice',
        customer: 'cus_1',
        days_until_due: 30,
      });
      await stripe.invoiceItems.create({
        amount: 100,
        currency: 'usd',
        customer: 'cus_1',
        invoice: id,
      });
      return id;
    };
    const sent = await stripe.invoices.sendInvoice(await create());
    expect(sent.due_date).toBe((sent.status_transitions.finalized_at ?? 0) + 30 * 86_400);
    expect((await stripe.invoices.voidInvoice(sent.id)).status).toBe('void');
    const paid = await stripe.invoices.pay(await create(), { paid_out_of_band: true });
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 100 });
    const { data } = await stripe.invoices.list({ customer: 'cus_1', status: 'void' });
    expect(data.map(({ id }) => id)).toEqual([sent.id]);
  });
});
