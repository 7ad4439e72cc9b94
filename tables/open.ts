/** All tables of one store. A new table gets its line here, and every process has it. */
import { createApiKeys } from './api-keys.ts';
import type { ApiKeys } from './api-keys.ts';
import { createAlertTable } from './alerts.ts';
import type { AlertTable } from './alerts.ts';
import { createCustomers } from './customers.ts';
import type { Customers } from './customers.ts';
import { createDeadLetters } from './dead-letters.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { TableStore } from './dynamo.ts';
import { createInvoices } from './invoices.ts';
import type { Invoices } from './invoices.ts';
import { createPayments } from './payments.ts';
import type { Payments } from './payments.ts';
import { createProcessingHistory } from './processing-history.ts';
import type { ProcessingHistory } from './processing-history.ts';
import { createSpending } from './spending.ts';
import type { Spending } from './spending.ts';
import { createStorageDaily } from './storage-daily.ts';
import type { StorageDaily } from './storage-daily.ts';
import { createStorageMonthly } from './storage-monthly.ts';
import type { StorageMonthly } from './storage-monthly.ts';
import { createSubscriptions } from './subscriptions.ts';
import type { Subscriptions } from './subscriptions.ts';
import { createUsageLedger } from './usage-ledger.ts';
import type { UsageLedger } from './usage-ledger.ts';
import { createWebhookEvents } from './webhook-events.ts';
import type { WebhookEvents } from './webhook-events.ts';

export interface Tables {
  customers: Customers;
  processings: ProcessingHistory;
  ledger: UsageLedger;
  deadLetters: DeadLetters;
  storageDaily: StorageDaily;
  storageMonthly: StorageMonthly;
  webhookEvents: WebhookEvents;
  subscriptions: Subscriptions;
  payments: Payments;
  invoices: Invoices;
  apiKeys: ApiKeys;
  spending: Spending;
  alerts: AlertTable;
}

export function openTables(store: TableStore): Tables {
  return {
    customers: createCustomers(store),
    processings: createProcessingHistory(store),
    ledger: createUsageLedger(store),
    deadLetters: createDeadLetters(store),
    storageDaily: createStorageDaily(store),
    storageMonthly: createStorageMonthly(store),
    webhookEvents: createWebhookEvents(store),
    subscriptions: createSubscriptions(store),
    payments: createPayments(store),
    invoices: createInvoices(store),
    apiKeys: createApiKeys(store),
    spending: createSpending(store),
    alerts: createAlertTable(store),
  };
}
