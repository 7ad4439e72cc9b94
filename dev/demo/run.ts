/** What `npm start` shows: customers with real files, the main job end to end, and equal sums. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { inputKey } from '../../domain/files.ts';
import { workflowIds } from '../../domain/ids.ts';
import type { ProcessingRequest } from '../../domain/processing.ts';
import { createDynamoDb } from '../../platform/dynamodb.ts';
import { createS3 } from '../../platform/s3.ts';
import { createStripe } from '../../platform/stripe.ts';
import { createClock, parseConfig } from '../../platform/config.ts';
import type { Config } from '../../platform/config.ts';
import { createTemporalClient } from '../../platform/temporal.ts';
import { apiKeyRow } from '../../platform/api-keys.ts';
import { createEngine } from '../../engine/engine.ts';
import type { Customers } from '../../tables/customers.ts';
import { createTableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import type { ProcessingHistory } from '../../tables/processing-history.ts';
import { createStripeControl } from '../../stripe-double/control.ts';
import { DEMO_CUSTOMER_ID } from '../stack/stack-file.ts';
import { runAccountDemo } from './account.ts';
import type { AccountState } from './account.ts';
import { runBudgetDemo } from './budget.ts';
import type { BudgetRun } from './budget.ts';
import { castFile, demoCustomers } from './customers.ts';
import type { DemoCustomer } from './customers.ts';
import { isBilledEqually, runStorageDemo } from './storage.ts';
import type { StorageSums } from './storage.ts';
import { collectSums, isEqual } from './sums.ts';
import type { CustomerSums } from './sums.ts';
import { accountTable, budgetLines, storageTable, sumsTable, unitPrice } from './tables.ts';

export interface DemoStack {
  env: Record<string, string>;
  api: string;
  /** Of the customer that casts; it opens its routes from the first start on. */
  apiKey: string;
  stripe: string;
  temporalUi: string;
  report: (line: string) => void;
}

export interface DemoResult {
  ok: boolean;
  summary: {
    jobs: string[];
    customers: CustomerSums[];
    storage: StorageSums[];
    /** Of those who paid a checkout. */
    accounts: AccountState[];
    budget: BudgetRun;
    equal: boolean;
  };
  text: string;
}

/** Bounds the whole demo: with the stack up it takes seconds. */
const patienceMs = 120_000;

export async function runDemo(stack: DemoStack): Promise<DemoResult> {
  const config = parseConfig(stack.env);
  const stripe = createStripe(config);
  if (stripe === undefined) throw new Error('the stack has a Stripe key, and it is not here');
  const dynamodb = createDynamoDb(config);
  const now = createClock(config);
  const tables = openTables(createTableStore(dynamodb, config.TABLE_PREFIX, now));
  const { processings, ledger, storageDaily, storageMonthly } = tables;
  const s3 = createS3(config);
  const temporal = createTemporalClient(config, stack.env);
  const control = createStripeControl(stack.stripe);
  const accountDemo = {
    stripe,
    control,
    customers: tables.customers,
    payments: tables.payments,
    subscriptions: tables.subscriptions,
    report: stack.report,
  };
  try {
    for (const customer of demoCustomers) {
      stack.report(`${customer.name}: customer and files`);
      const { customerId: id, name } = customer;
      await control.createCustomer({ id, name });
      await addCustomer(accountDemo.customers, customer, config);
      await putFiles(s3, config.BUCKET, customer);
    }
    const jobs = await planJobs(processings);
    await runJobs(temporal, config.TASK_QUEUE, jobs, stack.report);
    stack.report('casting over HTTP until the budget is used up');
    const whose = { customerId: DEMO_CUSTOMER_ID, scope: 'cast', name: 'demo' } as const;
    await tables.apiKeys.add(apiKeyRow(stack.apiKey, whose, now()));
    const budget = await runBudgetDemo(
      {
        api: stack.api,
        apiKey: stack.apiKey,
        price: {
          centsPerCast: config.COST_PER_CAST_CENTS,
          centsPerByte: config.COST_PER_BYTE_CENTS,
        },
        untilEnded: async (id) => await untilEnded(temporal, id),
        report: stack.report,
      },
      castFile,
    );
    stack.report('comparing what was processed, recorded and received by Stripe');
    const deadline = Date.now() + patienceMs;
    const customers = await collectSums(
      { processings, ledger, stripe: control },
      demoCustomers,
      deadline,
    );
    const storage = await runStorageDemo(
      {
        temporal,
        taskQueue: config.TASK_QUEUE,
        s3,
        bucket: config.BUCKET,
        storageDaily,
        storageMonthly,
        stripe: control,
        now,
        report: stack.report,
      },
      demoCustomers,
    );
    const accounts = await Promise.all(
      demoCustomers
        .filter(({ pays }) => pays)
        .map(async (customer) => await runAccountDemo(accountDemo, customer)),
    );
    const equal =
      customers.every(isEqual) &&
      storage.every(isBilledEqually) &&
      accounts.every((one) => one.equal) &&
      budget.equal;
    const ids = jobs.map((job) => job.processingId);
    const summary = { jobs: ids, customers, storage, accounts, budget, equal };
    return { ok: equal, summary, text: story(summary, stack) };
  } finally {
    s3.destroy();
    dynamodb.destroy();
    await temporal.connection.close();
  }
}

async function addCustomer(
  customers: Customers,
  customer: DemoCustomer,
  config: Config,
): Promise<void> {
  await customers.add({
    customerId: customer.customerId,
    name: customer.name,
    plan: config.BILLING_PLAN_DEFAULT,
    billingStatus: 'none',
    createdAt: new Date().toISOString(),
  });
}

async function putFiles(s3: S3Client, bucket: string, customer: DemoCustomer): Promise<void> {
  for (const file of customer.jobs.flatMap((job) => job.files)) {
    const Key = inputKey(customer.customerId, file.name);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: file.body() }));
  }
}

/** Every start processes the files once more, under ids that count up. */
async function planJobs(processings: ProcessingHistory): Promise<ProcessingRequest[]> {
  const jobs: ProcessingRequest[] = [];
  for (const { customerId, shortName, jobs: demoJobs } of demoCustomers) {
    let earlier = 0;
    for await (const { processingId } of processings.list(customerId)) {
      if (processingId.startsWith(`demo-${shortName}-`)) earlier += 1;
    }
    const run = Math.floor(earlier / demoJobs.length) + 1;
    for (const { name, files } of demoJobs) {
      const processingId = `demo-${shortName}-${name}-${run}`;
      jobs.push({ processingId, customerId, files: files.map((file) => file.name) });
    }
  }
  return jobs;
}

async function runJobs(
  temporal: Client,
  taskQueue: string,
  jobs: readonly ProcessingRequest[],
  report: (line: string) => void,
): Promise<void> {
  let done = 0;
  const engine = createEngine(temporal, { taskQueue });
  await temporal.withDeadline(Date.now() + patienceMs, async () => {
    await Promise.all(
      jobs.map(async (job) => {
        await engine.startProcessing(job);
        // A second order of the same job, on purpose: it must change nothing.
        await engine.startProcessing(job);
        await untilEnded(temporal, job.processingId);
        done += 1;
        report(`${done} of ${jobs.length} jobs processed, metered and delivered`);
      }),
    );
  });
}

async function untilEnded(temporal: Client, processingId: string): Promise<void> {
  await temporal.withDeadline(Date.now() + patienceMs, async () => {
    await temporal.workflow.getHandle(workflowIds.processFiles(processingId)).result();
  });
}

function story(summary: DemoResult['summary'], { api, apiKey }: DemoStack): string {
  const { jobs, customers, storage, accounts, budget, equal } = summary;
  const [first = ''] = jobs;
  const month = storage[0]?.month ?? '';
  const verdict = equal
    ? 'Equal to the byte, though every job was ordered twice.'
    : 'NOT EQUAL: look at `npm run -s durabill -- dead-letters list` and at the Temporal UI.';
  return [
    `Bytes processed, recorded in the usage ledger, and received by Stripe: ${unitPrice('file_processed')}`,
    '',
    sumsTable(customers),
    '',
    `Storage of ${month} in bytes, measured every day and billed once: ${unitPrice('storage-usage')}`,
    '',
    storageTable(storage),
    '',
    'A checkout was paid at Stripe, whose webhooks alone told us: our tables, equal to Stripe’s',
    '',
    accountTable(accounts),
    '',
    'A budget for two casts over HTTP, which were run, and a third one',
    '',
    budgetLines(budget),
    '',
    verdict,
    '',
    'Try it yourself',
    `  npm run -s durabill -- process show ${first}`,
    `  npm run -s durabill -- usage show ${first}`,
    `  npm run -s durabill -- bill show ${DEMO_CUSTOMER_ID} --month ${month}`,
    `  npm run -s durabill -- customers show ${accounts[0]?.customerId ?? ''}`,
    '  npm run -s durabill -- process submit --customer cus_DemoAurora --file survey/north.csv --wait',
    `  curl -s ${api}/v1/cast -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' -d '{"files":[{"key":"${castFile.key}"}]}'`,
    `  curl -s ${api}/v1/usage -H 'Authorization: Bearer ${apiKey}'`,
  ].join('\n');
}
