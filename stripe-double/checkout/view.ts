import type Stripe from 'stripe';
import type { Account } from '../account/account.ts';
import type { Price } from '../prices/schema.ts';
import type { CheckoutSession } from './schema.ts';
import { totalOfSession } from './schema.ts';

/** On the wire the SDK's decimals are text. */
type WireItem = Omit<Stripe.LineItem, 'price'> & { price: Price | null };

/** What is the same in every session of the double. */
const fixed = {
  adaptive_pricing: null,
  after_expiration: null,
  allowed_payment_method_types: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  discounts: [],
  integration_identifier: null,
  livemode: false,
  managed_payments: null,
  origin_context: null,
  payment_link: null,
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card'],
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  submit_type: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  wallet_options: null,
} satisfies Partial<Stripe.Checkout.Session>;

/** A checkout session as Stripe shows it; `line_items` only when they are expanded. */
export function renderSession(account: Account, session: CheckoutSession): Stripe.Checkout.Session {
  const total = totalOfSession(session);
  const isSubscription = session.mode === 'subscription';
  return {
    id: session.id,
    object: 'checkout.session',
    ...fixed,
    allow_promotion_codes: session.allowPromotionCodes,
    amount_subtotal: total,
    amount_total: total,
    cancel_url: session.cancelUrl,
    client_reference_id: session.clientReferenceId,
    created: session.created,
    currency: session.currency,
    customer: session.customer,
    customer_creation: session.customerCreation,
    customer_details: detailsOf(account, session),
    customer_email: session.customerEmail,
    expires_at: session.expiresAt,
    invoice: session.invoice,
    invoice_creation: isSubscription ? null : noInvoice,
    locale: session.locale as Stripe.Checkout.Session.Locale | null,
    metadata: session.metadata,
    mode: session.mode,
    payment_intent: isSubscription ? null : session.paymentIntent,
    payment_method_collection: isSubscription ? 'always' : 'if_required',
    payment_status: session.paymentStatus,
    status: session.status,
    subscription: session.subscription,
    success_url: session.successUrl,
    url: session.status === 'open' ? `${account.origin()}/checkout/${session.id}` : null,
  };
}

/** The bought items, as `line_items` and as the answer of `/line_items`. */
export function lineItemsOf(account: Account, session: CheckoutSession): WireItem[] {
  return session.lineItems.map(({ id, price: priceId, quantity, amount }) => {
    const price = account.prices.get(priceId);
    return {
      id,
      object: 'item',
      adjustable_quantity: null,
      amount_discount: 0,
      amount_subtotal: amount,
      amount_tax: 0,
      amount_total: amount,
      currency: session.currency,
      description: account.products.get(price?.product ?? '')?.name ?? null,
      metadata: {},
      price: price ?? null,
      quantity,
    };
  });
}

const noInvoice: Stripe.Checkout.Session.InvoiceCreation = {
  enabled: false,
  invoice_data: {
    account_tax_ids: null,
    custom_fields: null,
    description: null,
    footer: null,
    issuer: null,
    metadata: {},
    rendering_options: null,
  },
};

function detailsOf(
  account: Account,
  { customer: id, customerEmail }: CheckoutSession,
): Stripe.Checkout.Session.CustomerDetails | null {
  const customer = account.customers.get(id ?? '');
  const email = customer?.email ?? customerEmail;
  if (customer === undefined && email === null) return null;
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name: customer?.name ?? null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  };
}
