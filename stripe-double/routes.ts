import type { Route } from './core/router.ts';
import { eventRoutes } from './events/snapshot-events.ts';
import { thinEventRoutes } from './events/thin-events.ts';
import type { Account } from './resources/account.ts';
import { chargeRoutes } from './resources/charges.ts';
import { checkoutRoutes } from './resources/checkout-routes.ts';
import { customerRoutes } from './resources/customers.ts';
import { invoiceItemRoutes } from './resources/invoice-items.ts';
import { invoicePaymentRoutes } from './resources/invoice-payments.ts';
import { invoiceRoutes } from './resources/invoice-routes.ts';
import { meterEventSummaryRoutes } from './resources/meter-event-summaries.ts';
import { meterEventRoutes } from './resources/meter-events.ts';
import { meterRoutes } from './resources/meters.ts';
import { paymentIntentRoutes } from './resources/payment-intent-routes.ts';
import { paymentMethodRoutes } from './resources/payment-methods.ts';
import { portalSessionRoutes } from './resources/portal-sessions.ts';
import { priceRoutes } from './resources/prices.ts';
import { productRoutes } from './resources/products.ts';
import { subscriptionRoutes } from './resources/subscription-routes.ts';
import { webhookEndpointRoutes } from './webhooks/endpoints.ts';

/** Every endpoint of Stripe's API that the double has. */
export function allRoutes(account: Account, settings: { summaryLagMs: number }): Route[] {
  return [
    ...customerRoutes(account),
    ...productRoutes(account),
    ...priceRoutes(account),
    ...meterRoutes(account),
    ...meterEventRoutes(account),
    ...meterEventSummaryRoutes(account, settings),
    ...paymentMethodRoutes(account),
    ...paymentIntentRoutes(account),
    ...chargeRoutes(account),
    ...invoiceRoutes(account),
    ...invoiceItemRoutes(account),
    ...invoicePaymentRoutes(account),
    ...subscriptionRoutes(account),
    ...checkoutRoutes(account),
    ...portalSessionRoutes(account),
    ...eventRoutes(account),
    ...thinEventRoutes(account),
    ...webhookEndpointRoutes(account),
  ];
}
