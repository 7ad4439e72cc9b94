/** The workflow bundle: every exported function is a workflow type. */
export { aggregateStorage } from './aggregate-storage.ts';
export { billCustomerStorage } from './bill-customer-storage.ts';
export { billStorage } from './bill-storage.ts';
export { catchUpWebhooks } from './catch-up-webhooks.ts';
export { customer } from './customer.ts';
export { deliverUsage } from './deliver-usage.ts';
export { processFiles } from './process-files.ts';
export { repairReservations } from './repair-reservations.ts';
export { sendAlerts } from './send-alerts.ts';
export { sweepAlerts } from './sweep-alerts.ts';
export { sweepUsage } from './sweep-usage.ts';
export { sweepWebhooks } from './sweep-webhooks.ts';
