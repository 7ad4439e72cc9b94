/** Every DynamoDB table, as data: `durabill setup` creates what is missing and refuses what differs. */

export interface IndexSchema {
  name: string;
  partitionKey: string;
  sortKey: string;
  /** Attributes copied into the index; all of them when left out. */
  include?: string[];
}

export interface TableSchema {
  /** Without the prefix. */
  name: string;
  partitionKey: string;
  sortKey?: string;
  indexes: IndexSchema[];
  /** Attribute holding the expiry in seconds since the epoch. */
  ttl?: string;
}

/** Key attributes that are numbers; all others are strings. */
export const numberAttributes: ReadonlySet<string> = new Set(['deliveryShard', 'waitingShard']);

export const tableSchemas = {
  customers: { name: 'customers', partitionKey: 'customerId', indexes: [] },
  processingHistory: {
    name: 'processing-history',
    partitionKey: 'processingId',
    indexes: [
      { name: 'customerId-createdAt-index', partitionKey: 'customerId', sortKey: 'createdAt' },
    ],
  },
  usageLedger: {
    name: 'usage-ledger',
    partitionKey: 'identifier',
    indexes: [
      { name: 'customerId-occurredAt-index', partitionKey: 'customerId', sortKey: 'occurredAt' },
      {
        // Sparse: a row carries deliveryShard only while it is undelivered.
        name: 'deliveryShard-index',
        partitionKey: 'deliveryShard',
        sortKey: 'nextAttemptAt',
        include: ['customerId', 'meter'],
      },
    ],
  },
  deadLetters: {
    name: 'dead-letters',
    partitionKey: 'id',
    indexes: [{ name: 'kind-createdAt-index', partitionKey: 'kind', sortKey: 'createdAt' }],
  },
  storageDaily: {
    name: 'storage-usage-daily',
    partitionKey: 'customerId',
    sortKey: 'date',
    indexes: [
      {
        name: 'billingMonth-index',
        partitionKey: 'billingMonth',
        sortKey: 'customerId',
        include: ['totalStorageBytes', 'billingStatus', 'ttl'],
      },
      { name: 'billingStatus-date-index', partitionKey: 'billingStatus', sortKey: 'date' },
    ],
    ttl: 'ttl',
  },
  storageMonthly: {
    name: 'storage-usage-monthly',
    partitionKey: 'customerId',
    sortKey: 'billingMonth',
    indexes: [
      {
        name: 'billingStatus-month-index',
        partitionKey: 'billingStatus',
        sortKey: 'billingMonth',
      },
    ],
    ttl: 'ttl',
  },
  webhookEvents: {
    name: 'webhook-events',
    partitionKey: 'eventId',
    indexes: [
      {
        // Sparse: a row carries waitingShard only while it is received and not yet settled.
        name: 'waitingShard-tellAt-index',
        partitionKey: 'waitingShard',
        sortKey: 'tellAt',
        include: ['type', 'objectId', 'customerId', 'receivedAt'],
      },
    ],
    ttl: 'ttl',
  },
  subscriptions: {
    name: 'subscriptions',
    partitionKey: 'subscriptionId',
    indexes: [{ name: 'customerId-index', partitionKey: 'customerId', sortKey: 'stripeCreated' }],
  },
  invoices: {
    name: 'invoices',
    partitionKey: 'invoiceId',
    indexes: [
      { name: 'customerId-periodEnd-index', partitionKey: 'customerId', sortKey: 'periodEnd' },
    ],
  },
  alerts: {
    name: 'alerts',
    partitionKey: 'line',
    sortKey: 'alertId',
    indexes: [
      // Sparse: a row carries waiting only until it is sent or given up. One partition holds a thousand writes a
      // second, and there is one alert at most for a kind, a customer and five minutes.
      {
        name: 'waiting-raisedAt-index',
        partitionKey: 'waiting',
        sortKey: 'raisedAt',
        include: ['kind'],
      },
    ],
    ttl: 'ttl',
  },
  payments: {
    name: 'payments',
    partitionKey: 'paymentId',
    indexes: [
      { name: 'customerId-createdAt-index', partitionKey: 'customerId', sortKey: 'createdAt' },
    ],
    ttl: 'expiresAt',
  },
  apiKeys: {
    name: 'api-keys',
    partitionKey: 'keyHash',
    indexes: [{ name: 'customerId-index', partitionKey: 'customerId', sortKey: 'createdAt' }],
    ttl: 'ttl',
  },
  budgets: { name: 'budgets', partitionKey: 'customerId', indexes: [] },
  usageCounters: {
    name: 'usage-counters',
    partitionKey: 'customerId',
    sortKey: 'period',
    indexes: [
      // Sparse: a counter carries openPeriod only while it may hold reservations.
      {
        name: 'openPeriod-index',
        partitionKey: 'openPeriod',
        sortKey: 'customerId',
        include: ['period'],
      },
    ],
  },
} as const satisfies Record<string, TableSchema>;
