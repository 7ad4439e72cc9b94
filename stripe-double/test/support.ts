import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { onTestFinished } from 'vitest';
import { createStripeControl } from '../control.ts';
import type { StripeDoubleOptions } from '../server.ts';
import { startStripeDouble } from '../server.ts';

export const secretKey = 'sk_test_doubleOfStripe';

/** The real SDK, pointed at a double. */
export function sdkFor(port: number, key = secretKey): Stripe {
  return new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0 });
}

/** A double of the test's own, with SDK and control API; gone when the test is. */
export async function startDouble(options: StripeDoubleOptions = {}) {
  const double = await startStripeDouble({ secretKeys: [secretKey], ...options });
  onTestFinished(double.stop);
  const control = createStripeControl(double.url);
  return { double, control, stripe: sdkFor(double.port), post: poster(double.url) };
}

/** A double with one customer `cus_1` and a summing meter `file_processed`. */
export async function startMetering(options: StripeDoubleOptions = {}) {
  const started = await startDouble(options);
  await started.control.createCustomer({ id: 'cus_1' });
  const meter = await createMeter(started.stripe, 'file_processed');
  return { ...started, meter, send: sender(started.stripe) };
}

export async function createMeter(stripe: Stripe, eventName: string) {
  return await stripe.billing.meters.create({
    display_name: eventName,
    event_name: eventName,
    default_aggregation: { formula: 'sum' },
  });
}

export type Sent = {
  identifier: string;
  value?: string;
  customer?: string;
  timestamp?: number;
  eventName?: string;
  key?: string;
};

/** Sends one meter event through the SDK; the idempotency key is the identifier unless given. */
export function sender(stripe: Stripe) {
  return async ({ identifier, value = '1024', customer = 'cus_1', ...rest }: Sent) =>
    await stripe.billing.meterEvents.create(
      {
        event_name: rest.eventName ?? 'file_processed',
        identifier,
        payload: { stripe_customer_id: customer, value },
        ...(rest.timestamp === undefined ? {} : { timestamp: rest.timestamp }),
      },
      { idempotencyKey: rest.key ?? identifier },
    );
}

/** A plain HTTP request to the API, for what the SDK hides: headers, bodies, broken connections. */
function poster(url: string) {
  return async (path: string, form: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secretKey}`,
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      body: form,
    });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
}

/** What a rejected promise was rejected with, as far as Stripe's errors go. */
export async function failureOf(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) {
      const { type, code, message, param, statusCode, headers } = error;
      return { type, code, message, param, statusCode, headers: headers ?? {} };
    }
    throw error;
  }
  throw new Error('It was expected to fail');
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'stripe-double-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** The id of what may be expanded. */
export function idOf(value: string | { id: string } | null | undefined): string {
  if (value === null || value === undefined) throw new Error('There is none');
  return typeof value === 'string' ? value : value.id;
}
