import { z } from 'zod';
import type { Call } from './caller.ts';
import { toQuery } from './caller.ts';
import type {
  DeliveryQuery,
  DeliverySettingsRequest,
  DisputeMove,
  DisputeRequest,
  DoubleAttempt,
  DoubleDelivery,
  EndPeriodRequest,
  EndpointRequest,
  ForgeRequest,
  MeterErrorsRequest,
  PayRequest,
  ReleaseRequest,
  ResendRequest,
} from './webhook-contract.ts';
import * as contract from './webhook-contract.ts';

type CheckoutAnswer = z.output<typeof contract.checkoutAnswerSchema>;

/** The part of the control API that is about billing and webhooks, typed. */
export type WebhookControl = {
  /** Pauses, copies, delays, backoff: what is not named stays. */
  configureWebhooks: (
    change: DeliverySettingsRequest,
  ) => Promise<z.output<typeof contract.deliverySettingsSchema>>;
  /** An endpoint on this machine; by default for all events, thin ones too. */
  addWebhook: (wanted: EndpointRequest) => Promise<z.output<typeof contract.endpointAnswerSchema>>;
  /** What was or is to be delivered, newest first. */
  deliveries: (query?: DeliveryQuery) => Promise<DoubleDelivery[]>;
  /** Every event, thin ones last, with how many of its deliveries did not succeed. */
  stripeEvents: () => Promise<z.output<typeof contract.eventListSchema>>;
  /** Sends what is pending one after another in an order, even when paused; tells how it went. */
  releaseWebhooks: (request?: ReleaseRequest) => Promise<DoubleAttempt[]>;
  resendWebhook: (request: ResendRequest) => Promise<DoubleDelivery[]>;
  /** Sends a wrong one, once; tells what it was answered. */
  forgeWebhook: (request: ForgeRequest) => Promise<z.output<typeof contract.forgedSchema>>;
  /** Reports meter events as wrong, by a thin event; without a meter that none was found. */
  reportMeterErrors: (report: MeterErrorsRequest) => Promise<{ id: string; type: string }>;
  /** A customer's bank asks a payment's money back. */
  openDispute: (request: DisputeRequest) => Promise<z.output<typeof contract.disputeAnswerSchema>>;
  moveDispute: (
    id: string,
    to: DisputeMove,
  ) => Promise<z.output<typeof contract.disputeAnswerSchema>>;
  /** Ends a subscription's period and bills it. */
  endPeriod: (
    subscription: string,
    options?: EndPeriodRequest,
  ) => Promise<z.output<typeof contract.endPeriodAnswerSchema>>;
  /** Pays on the checkout page, by a test card. */
  payCheckout: (session: string, payment?: PayRequest) => Promise<CheckoutAnswer>;
  /** Ends an asynchronous payment. */
  settleCheckout: (session: string, outcome: 'succeeded' | 'failed') => Promise<CheckoutAnswer>;
};

export function webhookCalls(call: Call): WebhookControl {
  return {
    configureWebhooks: async (change) =>
      await call('PUT', '/webhooks', contract.deliverySettingsSchema, change),
    addWebhook: async (wanted) =>
      await call('POST', '/webhooks/endpoints', contract.endpointAnswerSchema, wanted),
    deliveries: async (query = {}) =>
      await call('GET', `/webhooks/deliveries${toQuery(query)}`, contract.deliveryListSchema),
    stripeEvents: async () => await call('GET', '/webhooks/events', contract.eventListSchema),
    releaseWebhooks: async (request = {}) =>
      await call('POST', '/webhooks/release', contract.attemptListSchema, request),
    resendWebhook: async (request) =>
      await call('POST', '/webhooks/resend', contract.deliveryListSchema, request),
    forgeWebhook: async (request) =>
      await call('POST', '/webhooks/forge', contract.forgedSchema, request),
    reportMeterErrors: async (report) =>
      await call('POST', '/meter-errors', z.object({ id: z.string(), type: z.string() }), report),
    openDispute: async (request) =>
      await call('POST', '/disputes', contract.disputeAnswerSchema, request),
    moveDispute: async (id, to) =>
      await call('POST', `/disputes/${id}`, contract.disputeAnswerSchema, to),
    endPeriod: async (subscription, options = {}) =>
      await call(
        'POST',
        `/subscriptions/${subscription}/end-period`,
        contract.endPeriodAnswerSchema,
        options,
      ),
    payCheckout: async (session, payment = {}) =>
      await call('POST', `/checkout/${session}/pay`, contract.checkoutAnswerSchema, payment),
    settleCheckout: async (session, outcome) =>
      await call('POST', `/checkout/${session}/settle/${outcome}`, contract.checkoutAnswerSchema),
  };
}
