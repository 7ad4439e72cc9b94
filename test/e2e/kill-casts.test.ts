/**
 * The server is killed (SIGKILL) in the middle of 300 casts, and callers hang up at every point of theirs.
 * Within the repair time used + reserved are what really ran, and an Idempotency-Key finds each cast.
 */
import { connect } from 'node:net';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startApiServer } from '../../dev/stack/api-server.ts';
import type { RunningServer } from '../../dev/stack/types.ts';
import { startWorker } from '../../dev/stack/worker.ts';
import { repairAfterMs } from '../../domain/casts.ts';
import { dayOf, monthOf, previousMonth } from '../../domain/period.ts';
import { createKey } from '../../operations/keys.ts';
import { startGate } from '../support/gate.ts';
import type { Gate } from '../support/gate.ts';
import { startServices } from '../support/services.ts';
import type { Services } from '../support/services.ts';
import { startAs } from '../support/start.ts';
import { startBareTemporal, taskQueue } from '../support/temporal.ts';
import type { BareTemporal } from '../support/temporal.ts';

const castCents = 7;
const patience = { timeout: 300_000, interval: 250 };

let services: Services;
let temporal: BareTemporal;
beforeAll(async () => {
  services = await startServices();
  temporal = await startBareTemporal(services);
});
afterAll(async () => {
  await temporal.stop();
  await services.stop();
});

async function gateToTables(): Promise<Gate> {
  const gate = await startGate(services.env['DYNAMODB_ENDPOINT'] ?? '');
  onTestFinished(gate.stop);
  return gate;
}

const connections = () => ({
  ...services.env,
  TEMPORAL_ADDRESS: temporal.server.address,
  TASK_QUEUE: taskQueue,
});

async function spawnWorker() {
  return await startWorker({ dataDir: services.dataDir, env: connections() });
}

/** As if the repair time had passed: what is set aside now was so before it. */
async function age({ customerId }: Customer): Promise<void> {
  const at = new Date(Date.now() - repairAfterMs - 60_000).toISOString();
  const month = monthOf(dayOf(Date.now()));
  for (const period of [month, previousMonth(month)]) {
    const open = Object.keys((await services.spending.get(customerId, period))?.open ?? {});
    for (const id of open) {
      await services.store.db.send(
        new UpdateCommand({
          TableName: `${services.store.prefix}usage-counters`,
          Key: { customerId, period },
          UpdateExpression: 'SET #open.#id.#at = :at',
          ExpressionAttributeNames: { '#open': 'open', '#id': id, '#at': 'at' },
          ExpressionAttributeValues: { ':at': at },
        }),
      );
    }
  }
}

async function spawnServer(gate: Gate) {
  return await startApiServer({
    dataDir: services.dataDir,
    env: {
      ...connections(),
      DYNAMODB_ENDPOINT: gate.url,
      COST_PER_CAST_CENTS: String(castCents),
      RATE_LIMIT_PER_MINUTE: '1000000',
      LOG_LEVEL: 'fatal',
    },
  });
}

interface Customer {
  customerId: string;
  key: string;
}

async function addCustomer(customerId: string, hardLimitCents?: number): Promise<Customer> {
  await services.control.createCustomer({ id: customerId });
  const now = new Date().toISOString();
  await services.customers.add({
    customerId,
    plan: 'free',
    billingStatus: 'active',
    createdAt: now,
  });
  await services.putFile(customerId, 'file.bin', 'bytes');
  if (hardLimitCents !== undefined) await services.spending.change(customerId, { hardLimitCents });
  const { key } = await createKey(
    { ...services, now: () => new Date() },
    { customerId, scope: 'cast' },
  );
  return { customerId, key };
}

const body = JSON.stringify({ files: [{ key: 'file.bin' }] });

/** The status, or `broken` when no answer came. Who is told to try again (503) does so, under the same key. */
async function cast(
  server: RunningServer,
  { key }: Pick<Customer, 'key'>,
  name: string,
  signal?: AbortSignal,
): Promise<number | 'broken'> {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'Idempotency-Key': name,
  };
  try {
    const answer = await fetch(`${server.url}/v1/cast`, {
      method: 'POST',
      headers,
      body,
      ...(signal === undefined ? {} : { signal }),
    });
    await answer.arrayBuffer();
    if (answer.status !== 503) return answer.status;
  } catch {
    return 'broken';
  }
  return await cast(server, { key }, name, signal);
}

/** `atOnce` of the names at the same time. */
async function castAll(
  names: readonly string[],
  atOnce: number,
  one: (name: string) => Promise<number | 'broken'>,
): Promise<(number | 'broken')[]> {
  const answers: (number | 'broken')[] = [];
  const waiting = names.values();
  const take = async (): Promise<void> => {
    for (const name of waiting) answers.push(await one(name));
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return answers;
}

/** Of this month and, should midnight pass, of the one before. */
async function sumsOf(customerId: string) {
  const month = monthOf(dayOf(Date.now()));
  const sums = { usedCents: 0, reservedCents: 0, openCount: 0 };
  for (const period of [month, previousMonth(month)]) {
    const counter = await services.spending.get(customerId, period);
    sums.usedCents += counter?.usedCents ?? 0;
    sums.reservedCents += counter?.reservedCents ?? 0;
    sums.openCount += counter?.openCount ?? 0;
  }
  return sums;
}

async function statusesOf(customerId: string): Promise<string[]> {
  const statuses: string[] = [];
  for await (const { status } of services.processings.list(customerId)) statuses.push(status);
  return statuses;
}

/** The workflow of the schedule, again and again until nothing is set aside; then what is used is what ran. */
async function repairedSums(customerId: string): Promise<number> {
  let round = 0;
  await vi.waitFor(async () => {
    round += 1;
    const workflowId = `repair-${customerId}-${round}`;
    await (
      await startAs(temporal.client, { taskQueue, workflowId }, 'repairReservations', undefined)
    ).result();
    expect(await sumsOf(customerId)).toMatchObject({ reservedCents: 0, openCount: 0 });
  }, patience);
  const { usedCents } = await sumsOf(customerId);
  const statuses = await statusesOf(customerId);
  expect(new Set(statuses)).toEqual(new Set(['completed']));
  expect(usedCents).toBe(castCents * statuses.length);
  return statuses.length;
}

const isReservation = (request: string): boolean =>
  request.includes('UpdateItem') && request.includes('usage-counters') && request.includes('cast-');

test('GA2 GA11 SIGKILL of the server in the middle of 300 casts: used is what ran, and each key finds its cast', async () => {
  const customer = await addCustomer('cus_killed', 300 * castCents);
  const names = Array.from({ length: 300 }, (_, index) => `cast ${index}`);
  const gate = await gateToTables();
  const first = await spawnServer(gate);
  const runs = await spawnWorker();
  let answered = 0;
  const answers = castAll(names, 40, async (name) => {
    const status = await cast(first, customer, name);
    answered += 1;
    return status;
  });
  await vi.waitFor(() => expect(answered).toBeGreaterThanOrEqual(100), patience);
  for (const when of ['before', 'after', 'after', 'before', 'after', 'after'] as const) {
    gate.hold({ matches: isReservation, when });
  }
  await gate.waitForHeld(6);
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  gate.open();
  const told = await answers;
  const started = told.filter((status) => status === 202).length;
  expect(new Set(told)).toEqual(new Set([202, 'broken']));
  expect(started).toBeLessThan(300);
  // The four whose reservation was written, and whose start was not: nobody but the repair gives them back.
  expect((await sumsOf(customer.customerId)).openCount).toBeGreaterThanOrEqual(4);
  await runs.stop();

  await age(customer);
  const repairs = await spawnWorker();
  const ran = await repairedSums(customer.customerId);
  expect(ran).toBeGreaterThanOrEqual(started);
  expect(ran).toBeLessThan(300);

  const second = await spawnServer(gate);
  const again = await castAll(names, 40, async (name) => await cast(second, customer, name));
  expect(new Set(again)).toEqual(new Set([202]));
  expect(await cast(second, customer, 'one too many')).toBe(402);
  expect(await repairedSums(customer.customerId)).toBe(300);
  await second.stop();
  await repairs.stop();
}, 300_000);

test('GA11 callers who hang up leave nothing reserved, and their keys find what was started', async () => {
  const customer = await addCustomer('cus_hung_up', 1000 * castCents);
  const gate = await gateToTables();
  const [server, worker] = [await spawnServer(gate), await spawnWorker()];
  // While the reservation is on its way, and when it is written and not yet told.
  const hangUp = new AbortController();
  for (const when of ['before', 'after'] as const) {
    for (let n = 0; n < 10; n += 1) gate.hold({ matches: isReservation, when });
  }
  const held = Array.from({ length: 20 }, (_, n) => `held ${n}`);
  const broken = castAll(held, 20, async (name) => {
    return await cast(server, customer, name, hangUp.signal);
  });
  await gate.waitForHeld(20);
  hangUp.abort();
  expect(new Set(await broken)).toEqual(new Set(['broken']));
  gate.open();
  // The moment the request is written; half of it only; and when the answer begins.
  const sent = Array.from({ length: 20 }, (_, n) => `sent ${n}`);
  await Promise.all(sent.map(async (name) => await sendAndBreak(server, customer, name, 1)));
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      await sendAndBreak(server, customer, `half ${n}`, 0.5);
    }),
  );
  const answered = Array.from({ length: 20 }, (_, n) => `answered ${n}`);
  const told = await castAll(answered, 20, async (name) => await cast(server, customer, name));
  expect(new Set(told)).toEqual(new Set([202]));

  const keys = [...held, ...sent, ...answered];
  const again = await castAll(keys, 10, async (name) => await cast(server, customer, name));
  expect(new Set(again)).toEqual(new Set([202]));
  await vi.waitFor(async () => {
    const statuses = await statusesOf(customer.customerId);
    expect(statuses.filter((status) => status === 'completed')).toHaveLength(60);
  }, patience);
  await server.stop();
  await worker.stop();
  await age(customer);
  const repairs = await spawnWorker();
  expect(await repairedSums(customer.customerId)).toBe(60);
  await repairs.stop();
}, 300_000);

/** Writes this part of the request, and breaks the connection. */
async function sendAndBreak(
  { port }: RunningServer,
  { key }: Customer,
  name: string,
  part: number,
): Promise<void> {
  const request = [
    'POST /v1/cast HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `idempotency-key: ${name}`,
    `content-length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject).once('close', () => {
      resolve();
    });
    socket.write(request.slice(0, Math.floor(request.length * part)), () => {
      socket.resetAndDestroy();
    });
  });
}
