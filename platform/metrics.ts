/** Prometheus metrics of one process (GA8). No label is unbounded: never a customer, a key or a message. */
import { alertKinds } from '../domain/alerts.ts';
import { deadLetterKinds } from '../domain/dead-letters.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** `not_kept`: the tables were away, and it is lost; `not_announced`: Temporal was, and it comes later. */
const alertOutcomes = ['sent', 'failed', 'exhausted', 'not_kept', 'not_announced'];

export type Metrics = ReturnType<typeof createMetrics>;

/** Sweeps come every minute or every 15 (domain/schedules.ts): later than this, another process has the newer figure. */
const sweptForMs = 1_200_000;

/** Set by whichever worker ran the last sweep: what this one found long ago it says no more. */
function foundBySweep(options: { name: string; help: string; registers: Registry[] }) {
  let foundAt = 0;
  const gauge = new Gauge({
    ...options,
    collect() {
      if (Date.now() - foundAt > sweptForMs) this.set(0);
    },
  });
  return {
    set: (value: number): void => {
      foundAt = Date.now();
      gauge.set(value);
    },
    get: async () => await gauge.get(),
  };
}

export function createMetrics() {
  const metrics = declareMetrics();
  // What appears with its first 1 has not increased, for Prometheus: what alerts begins with 0.
  for (const kind of deadLetterKinds) metrics.deadLetters.inc({ kind }, 0);
  for (const kind of Object.keys(alertKinds)) metrics.alerts.inc({ kind }, 0);
  for (const outcome of alertOutcomes) metrics.alertsSent.inc({ outcome }, 0);
  metrics.webhooks.inc({ type: 'other', outcome: 'bad_signature' }, 0);
  return metrics;
}

function declareMetrics() {
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
    skippedNights: new Counter({
      name: 'durabill_storage_skipped_nights_total',
      help: 'Nights on which no customer was measured: an alert',
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
    casts: new Counter({
      name: 'spell_cast_total',
      help: 'Casts asked for, by outcome',
      labelNames: ['outcome'] as const,
      registers,
    }),
    castSeconds: new Histogram({
      name: 'spell_cast_duration_seconds',
      help: 'From a cast’s request to its answer',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    budgetBlocks: new Counter({
      name: 'budget_block_total',
      help: 'Casts refused by a hard budget',
      registers,
    }),
    reservationsRepaired: new Counter({
      name: 'durabill_reservations_repaired_total',
      help: 'Casts whose reservation was ended by the repair, not by their own run',
      registers,
    }),
    rateLimited: new Counter({
      name: 'rate_limited_total',
      help: 'Requests over the limit of a minute and key',
      registers,
    }),
    dbPoolInUse: new Gauge({
      name: 'db_pool_in_use',
      help: 'Requests in flight to the table store',
      registers,
    }),
    redisErrors: new Counter({
      name: 'redis_errors_total',
      help: 'Times that Redis could not be reached, answered with an error or did not answer in time',
      registers,
    }),
    needUp: new Gauge({
      name: 'durabill_need_up',
      help: 'Whether what the server needs answers (1) or not (0), as /readyz says',
      labelNames: ['need'] as const,
      registers,
    }),
    rateLimitLocal: new Gauge({
      name: 'durabill_rate_limit_local',
      help: '1 while Redis is away and this process counts the rate limit by itself',
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
    webhooksWaiting: foundBySweep({
      name: 'durabill_webhooks_waiting',
      help: 'Stripe events that were received and are not applied, as the last sweep found them',
      registers,
    }),
    usageOverdue: foundBySweep({
      name: 'durabill_usage_overdue_seconds',
      help: 'Since when the usage record that waits longest should have been tried, as the last sweep found it',
      registers,
    }),
    webhooksHalted: new Counter({
      name: 'durabill_webhooks_halted_total',
      help: 'Times that Stripe refused our key and a line of events waited: an alarm',
      registers,
    }),
    alerts: new Counter({
      name: 'durabill_alerts_total',
      help: 'What a person must hear of, by kind: each time, also those that are sent as one',
      labelNames: ['kind'] as const,
      registers,
    }),
    alertsSent: new Counter({
      name: 'durabill_alerts_sent_total',
      help: 'Alerts to ALERT_WEBHOOK_URL: sent, failed (one try), exhausted (given up), not_kept, not_announced',
      labelNames: ['outcome'] as const,
      registers,
    }),
    deliveryHalted: new Counter({
      name: 'durabill_delivery_halted_total',
      help: 'Times that Stripe refused our key and a shard stopped: an alarm',
      registers,
    }),
  };
}
