import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { parseDecimal, significantDigits } from '../core/decimal.ts';
import { invalidParameter, refused } from '../core/errors.ts';
import { expand, integer, parseParams, text } from '../core/params.ts';
import type { ApiCall, Route } from '../core/router.ts';
import { checkCustomer } from '../customers/customers.ts';
import { findActiveMeter } from '../meters/meters.ts';
import type { Meter } from '../meters/schema.ts';

const createParams = z.strictObject({
  event_name: text.max(100),
  expand,
  identifier: text.max(100).optional(),
  payload: z.record(z.string().max(100), z.string().max(100)),
  timestamp: integer.optional(),
});

const maximumDigits = 15;
const oldestSeconds = 35 * 24 * 60 * 60;
const newestSeconds = 5 * 60;

/** Meter events, v1 (https://docs.stripe.com/api/billing/meter-event). One call at a time each. */
export function meterEventRoutes(account: Account): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/billing/meter_events',
      handle: (call) => create(account, call),
      lock: ({ params }) => lockOf(account, params),
    },
  ];
}

function create(account: Account, { params }: ApiCall): object {
  const given = parseParams(createParams, params);
  const now = account.clock.nowSeconds();
  const timestamp = given.timestamp ?? now;
  checkTimestamp(timestamp, now);
  const meter = findActiveMeter(account, given.event_name);
  if (meter === undefined) {
    throw refused(`No meter found with event name ${given.event_name}.`, { param: 'event_name' });
  }
  const value = valueOf(meter, given.payload);
  const customer = customerOf(account, meter, given.payload);
  const identifier = given.identifier ?? randomUUID();
  if (account.ledger.remembers(identifier)) {
    throw refused(`An event already exists with identifier ${identifier}.`);
  }
  const { event_name: eventName, payload } = given;
  account.ledger.add({ identifier, eventName, meterId: meter.id, customer, value, timestamp });
  return {
    object: 'billing.meter_event',
    created: now,
    event_name: eventName,
    identifier,
    livemode: false,
    payload,
    timestamp,
  };
}

/** 35 days back and 5 minutes ahead (docs: the `timestamp` parameter). */
function checkTimestamp(timestamp: number, now: number): void {
  if (timestamp < now - oldestSeconds) {
    const message = 'The timestamp must be within the past 35 days.';
    throw invalidParameter('timestamp', message, 'timestamp_too_far_in_past');
  }
  if (timestamp > now + newestSeconds) {
    const message = 'The timestamp must not be more than 5 minutes in the future.';
    throw invalidParameter('timestamp', message, 'timestamp_in_future');
  }
}

function valueOf(meter: Meter, payload: Readonly<Record<string, string>>): string {
  const key = meter.value_settings.event_payload_key;
  const param = `payload[${key}]`;
  const value = payload[key];
  // A counting meter needs no value (docs: meter configuration attributes).
  if (value === undefined && meter.default_aggregation.formula === 'count') return '1';
  if (value === undefined) {
    throw invalidParameter(param, `Missing required param: ${param}.`, 'parameter_missing');
  }
  if (parseDecimal(value) === undefined) {
    throw invalidParameter(param, `Invalid value for ${param}: ${value} is not a number.`);
  }
  if (significantDigits(value) > maximumDigits) {
    const message = `Invalid value for ${param}: at most ${maximumDigits} significant digits.`;
    throw invalidParameter(param, message);
  }
  return value;
}

function customerOf(
  account: Account,
  meter: Meter,
  payload: Readonly<Record<string, string>>,
): string {
  const param = `payload[${meter.customer_mapping.event_payload_key}]`;
  const customer = payload[meter.customer_mapping.event_payload_key];
  if (customer === undefined || customer === '') {
    throw invalidParameter(param, `Missing required param: ${param}.`, 'parameter_missing');
  }
  checkCustomer(account, customer, param);
  return customer;
}

/** One call at a time per customer and meter (docs: record usage for billing, rate limits). */
function lockOf(account: Account, params: ApiCall['params']) {
  const { event_name: eventName, payload } = params;
  if (typeof eventName !== 'string' || typeof payload !== 'object') return undefined;
  const meter = findActiveMeter(account, eventName);
  const key = meter?.customer_mapping.event_payload_key ?? 'stripe_customer_id';
  const customer = new Map(Object.entries(payload)).get(key);
  return typeof customer === 'string' ? { customer, eventName } : undefined;
}
