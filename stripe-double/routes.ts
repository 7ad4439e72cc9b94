import type { Account } from './account/account.ts';
import { chargeRoutes } from './charges/routes.ts';
import { checkoutRoutes } from './checkout/routes.ts';
import type { Route } from './core/router.ts';
import { creditNoteRoutes } from './credit-notes/routes.ts';
import { customerRoutes } from './customers/routes.ts';
import { disputeRoutes } from './disputes/routes.ts';
import { eventRoutes } from './events/snapshot-events.ts';
import { thinEventRoutes } from './events/thin-events.ts';
import { invoiceItemRoutes } from './invoice-items/routes.ts';
import { invoicePaymentRoutes } from './invoices/payment-routes.ts';
import { invoiceRoutes } from './invoices/routes.ts';
import { meterEventRoutes } from './meter-events/routes.ts';
import { meterEventSummaryRoutes } from './meter-events/summaries.ts';
import { meterRoutes } from './meters/routes.ts';
import { paymentIntentRoutes } from './payment-intents/routes.ts';
import { paymentMethodRoutes } from './payment-methods/routes.ts';
import { portalSessionRoutes } from './portal/routes.ts';
import { priceRoutes } from './prices/routes.ts';
import { productRoutes } from './products/routes.ts';
import { refundRoutes } from './refunds/routes.ts';
import { subscriptionItemRoutes } from './subscriptions/item-routes.ts';
import { invoicePreviewRoutes } from './subscriptions/preview.ts';
import { subscriptionRoutes } from './subscriptions/routes.ts';
import { eventDestinationRoutes } from './webhooks/destinations.ts';
import { webhookEndpointRoutes } from './webhooks/routes.ts';

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
    ...refundRoutes(account),
    ...disputeRoutes(account),
    ...creditNoteRoutes(account),
    ...invoicePreviewRoutes(account, settings),
    ...invoiceRoutes(account),
    ...invoiceItemRoutes(account),
    ...invoicePaymentRoutes(account),
    ...subscriptionRoutes(account),
    ...subscriptionItemRoutes(account),
    ...checkoutRoutes(account),
    ...portalSessionRoutes(account),
    ...eventRoutes(account),
    ...thinEventRoutes(account),
    ...webhookEndpointRoutes(account),
    ...eventDestinationRoutes(account),
  ];
}
