/** What the routes of billing take and answer. */
import { z } from '@hono/zod-openapi';
import { billingStatuses } from '../domain/billing-status.ts';
import { isoTime } from './routes/guarded.ts';

const longestUrl = 2048;
const comeBack = (when: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must begin with http:// or https://' })
    .max(longestUrl)
    .optional()
    .openapi({ description: `where people come back to ${when}; usual: the server’s own address` });

export const checkoutBody = z
  .strictObject({ successUrl: comeBack('when they paid'), cancelUrl: comeBack('when they left') })
  .openapi('CheckoutOrder');
export const portalBody = z
  .strictObject({ returnUrl: comeBack('when they are done') })
  .openapi('PortalOrder');

export const pageShape = z
  .strictObject({ url: z.string().openapi({ description: 'of a page at Stripe, for a browser' }) })
  .openapi('StripePage');

const amount = z.number().int().openapi({ description: 'minor units of the currency' });

const subscriptionShape = z
  .strictObject({
    subscriptionId: z.string(),
    status: z.string().openapi({ description: 'as Stripe names it', example: 'active' }),
    isPaused: z.boolean(),
    currentPeriodStart: isoTime.optional(),
    currentPeriodEnd: isoTime.optional(),
    cancelsAt: isoTime.optional().openapi({ description: 'when a cancellation takes effect' }),
    endedAt: isoTime.optional(),
  })
  .openapi('Subscription');

const paymentShape = z
  .strictObject({
    paymentId: z.string(),
    status: z.enum(['succeeded', 'failed']),
    amount,
    currency: z.string(),
    createdAt: isoTime,
    failureReason: z.string().optional(),
    refundedAmount: amount.optional(),
    disputeStatus: z.string().optional(),
  })
  .openapi('Payment');

export const accountShape = z
  .strictObject({
    customerId: z.string(),
    status: z.enum(billingStatuses).openapi({ description: 'past_due: a debt is open' }),
    plan: z.string(),
    subscription: subscriptionShape.optional().openapi({ description: 'the newest' }),
    payments: z.array(paymentShape).openapi({ description: 'the last ones, the newest first' }),
  })
  .openapi('Account');
