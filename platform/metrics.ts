/** Prometheus metrics of one process. No label is unbounded: never a customer, a key or a message. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    filesProcessed: new Counter({
      name: 'durabill_files_processed_total',
      help: 'Files read, compressed and written',
      registers,
    }),
    bytesProcessed: new Counter({
      name: 'durabill_bytes_processed_total',
      help: 'Input bytes of the files processed',
      registers,
    }),
    deliveries: new Counter({
      name: 'durabill_deliveries_total',
      help: 'Calls that tried to deliver a usage record, by how they ended',
      labelNames: ['outcome'] as const,
      registers,
    }),
    deliverySeconds: new Histogram({
      name: 'durabill_delivery_seconds',
      help: 'From a usage record being written to Stripe having it',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86_400],
      registers,
    }),
    deadLetters: new Counter({
      name: 'durabill_dead_letters_total',
      help: 'Work laid aside for a person, by kind',
      labelNames: ['kind'] as const,
      registers,
    }),
    storageCustomers: new Counter({
      name: 'durabill_storage_customers_total',
      help: 'Customers whose storage was measured for a day',
      registers,
    }),
    missingDays: new Counter({
      name: 'durabill_storage_missing_days_total',
      help: 'Days without a snapshot in months that were billed',
      registers,
    }),
    webhooks: new Counter({
      name: 'stripe_webhook_total',
      help: 'Webhooks received, by type of event and outcome',
      labelNames: ['type', 'outcome'] as const,
      registers,
    }),
    webhooksApplied: new Counter({
      name: 'durabill_webhooks_applied_total',
      help: 'Stripe events applied, by what they changed',
      labelNames: ['effect'] as const,
      registers,
    }),
    paymentsFailed: new Counter({
      name: 'durabill_payments_failed_total',
      help: 'Payments that Stripe could not collect: an alert',
      registers,
    }),
    paymentDisputes: new Counter({
      name: 'durabill_payment_disputes_total',
      help: 'Payments that a customer’s bank asks back: an alert',
      registers,
    }),
    latePayments: new Counter({
      name: 'durabill_late_payments_total',
      help: 'Invoices paid after their subscription had ended: an alert',
      registers,
    }),
    webhooksToldAgain: new Counter({
      name: 'durabill_webhooks_told_again_total',
      help: 'Stripe events that nobody had applied after 30 s, told to their lines again',
      registers,
    }),
    webhooksWaiting: new Gauge({
      name: 'durabill_webhooks_waiting',
      help: 'Stripe events that were received and are not applied, as the last sweep found them',
      registers,
    }),
    webhooksHalted: new Counter({
      name: 'durabill_webhooks_halted_total',
      help: 'Times that Stripe refused our key and a line of events waited: an alarm',
      registers,
    }),
    deliveryHalted: new Counter({
      name: 'durabill_delivery_halted_total',
      help: 'Times that Stripe refused our key and a shard stopped: an alarm',
      registers,
    }),
  };
}
