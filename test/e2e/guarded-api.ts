/**
 * The guarded API from end to end, on a stack that runs (GA9): a customer pays a checkout, is active by its
 * webhook, sets a budget and casts until it is refused; the metrics show each.
 *
 *     npm start                  # in one terminal
 *     npm run guarded-api        # in another: the same story, told step by step
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { developmentEnvironment } from '../../dev/environment.ts';
import { readStackFile } from '../../dev/stack/stack-file.ts';
import { createStripeControl } from '../../stripe-double/control.ts';

export interface StackAddresses {
  api: string;
  stripe: string;
  adminToken: string;
}

/** What the story ended with, for a test to look at. */
export interface Told {
  customerId: string;
  account: string;
  /** Of each cast, the last one the refusal. */
  answers: number[];
  refusal: unknown;
  usedCents: number;
  bytes: string;
  /** How far each metric has risen. */
  risen: Record<string, number>;
}

const patienceMs = 60_000;
const room = 3;
const fileBytes = 2000;
const metrics = {
  checkout: /^stripe_webhook_total\{.*type="checkout\.session\.completed".*outcome="accepted".*\} /,
  casts: /^spell_cast_total\{.*outcome="started".*\} /,
  refusals: /^budget_block_total /,
  seconds: /^spell_cast_duration_seconds_count /,
};

export async function tellGuardedApi(
  stack: StackAddresses,
  say: (line: string) => void,
): Promise<Told> {
  const operator = caller(stack.api, stack.adminToken);
  const control = createStripeControl(stack.stripe);
  const customerId = `cus_Story${randomBytes(6).toString('hex')}`;
  const before = await readMetrics(stack.api);

  await control.createCustomer({ id: customerId, name: 'A story' });
  await operator('POST', '/v1/customers', [200, 201], { customerId, name: 'A story' });
  const made = await operator('POST', '/v1/keys', [201], { customerId });
  const { key, prefix } = z.object({ key: z.string(), prefix: z.string() }).parse(made.body);
  say(`${customerId} was added, and its key ${prefix}… made`);
  const customer = caller(stack.api, key);

  const { url } = z
    .object({ url: z.string() })
    .parse((await customer('POST', '/v1/billing/checkout', [200], {})).body);
  say(`checkout: ${url}`);
  const session = /cs_[\w]+/.exec(url)?.[0] ?? '';
  await control.payCheckout(session);
  const account = await until(async () => {
    const { status } = z
      .object({ status: z.string() })
      .parse((await customer('GET', '/v1/billing/account', [200])).body);
    return status === 'active' ? status : undefined;
  });
  say(`paid at Stripe; its webhook made the account ${account}`);

  const upload = z
    .object({ url: z.string() })
    .parse((await customer('POST', '/v1/files', [201], { key: 'story.txt' })).body);
  const put = await fetch(upload.url, { method: 'PUT', body: 'x'.repeat(fileBytes) });
  if (!put.ok) throw new Error(`the upload was answered ${put.status}: ${await put.text()}`);
  say(`uploaded story.txt, ${fileBytes} bytes, without an AWS account`);

  const { cost, answers, casts, refusal } = await castUntilRefused(customer, say);
  for (const id of casts) {
    await until(async () => {
      const { status } = castShape.parse((await customer('GET', `/v1/casts/${id}`, [200])).body);
      if (status === 'failed') throw new Error(`${id} failed`);
      return status === 'completed' ? status : undefined;
    });
  }
  const { usedCents } = z
    .object({ usedCents: z.number() })
    .parse((await customer('GET', '/v1/budgets', [200])).body);
  say(`${casts.length} casts completed; the budget says ${usedCents} cents used (${cost} each)`);
  const bytes = await until(async () => {
    const usage = usageShape.parse((await customer('GET', '/v1/usage', [200])).body);
    const line = usage.lines.find(({ state }) => state === 'delivered');
    return line?.quantity === String(casts.length * fileBytes) ? line.quantity : undefined;
  });
  say(`GET /v1/usage: ${bytes} bytes, delivered to Stripe`);

  const after = await readMetrics(stack.api);
  const risen = Object.fromEntries(
    Object.keys(metrics).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]),
  );
  say(`/metrics has risen: ${JSON.stringify(risen)}`);
  return { customerId, account, answers, refusal, usedCents, bytes, risen };
}

const castShape = z.object({ processingId: z.string(), status: z.string(), costCents: z.number() });
const usageShape = z.object({
  lines: z.array(z.object({ state: z.string(), quantity: z.string() })),
});

/** The first cast tells the price, and the budget is set to what three of them cost. */
async function castUntilRefused(customer: Call, say: (line: string) => void) {
  const files = { files: [{ key: 'story.txt' }] };
  await customer('PUT', '/v1/budgets', [200], { hardLimitCents: 1_000_000 });
  const answers: number[] = [];
  const casts: string[] = [];
  let refusal: unknown;
  let cost = 0;
  while (refusal === undefined && casts.length <= room) {
    const headers = { 'Idempotency-Key': `story ${casts.length}` };
    const { status, body } = await customer('POST', '/v1/cast', [202, 402], files, headers);
    answers.push(status);
    if (status === 402) {
      refusal = body;
      break;
    }
    const { processingId, costCents } = castShape.parse(body);
    casts.push(processingId);
    say(`cast ${casts.length}: 202, ${costCents} cents set aside`);
    if (casts.length > 1) continue;
    cost = costCents;
    await customer('PUT', '/v1/budgets', [200], { hardLimitCents: room * costCents });
    say(`budget: ${room * costCents} cents a month`);
  }
  say(`one cast more: ${JSON.stringify(refusal)}`);
  return { cost, answers, casts, refusal };
}

type Call = (
  method: string,
  address: string,
  wanted: readonly number[],
  body?: object,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: unknown }>;

/** An answer that is not wanted is an error which says what came. */
function caller(api: string, secret: string): Call {
  return async (method, address, wanted, body, headers = {}) => {
    const answer = await fetch(`${api}${address}`, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!wanted.includes(answer.status)) {
      throw new Error(`${method} ${address} was answered ${answer.status}: ${text}`);
    }
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadlineMs) throw new Error(`it did not happen in ${patienceMs} ms`);
    // Sixty requests a minute are let through by the limit that a stack usually has.
    await delay(2000);
  }
}

async function readMetrics(api: string): Promise<Record<string, number>> {
  const lines = (await (await fetch(`${api}/metrics`)).text()).split('\n');
  const sum = (pattern: RegExp): number =>
    lines
      .filter((line) => pattern.test(line))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  return Object.fromEntries(Object.entries(metrics).map(([name, of]) => [name, sum(of)]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stack = readStackFile(
    path.resolve(developmentEnvironment()['DURABILL_DATA'] ?? '.durabill'),
  );
  if (stack === undefined) {
    process.stderr.write('no stack is running here: `npm start` in another terminal first\n');
    process.exit(1);
  }
  let step = 0;
  await tellGuardedApi(stack, (line) => {
    step += 1;
    process.stdout.write(`${String(step).padStart(2)}  ${line}\n`);
  });
}
