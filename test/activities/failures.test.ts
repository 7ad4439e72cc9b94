import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import {
  createActivities,
  createEventActivities,
  createStripeActivities,
} from '../../activities/index.ts';
import { stripeProblem, whyUnwritable } from '../../activities/failures.ts';
import { BillingError } from '../../domain/errors.ts';

const quiet = new DefaultLogger('ERROR');

/** Whatever is asked of it throws: of an order that an activity reads first, or of its dependencies. */
function throwing<Thing extends object>(error: unknown): Thing {
  const refuse = (): never => {
    throw error;
  };
  return new Proxy({}, { get: refuse, ownKeys: refuse }) as Thing;
}

function allActivities(error: unknown) {
  const deps = throwing<Dependencies>(error);
  return Object.entries({
    ...createActivities(deps),
    ...createStripeActivities(deps),
    ...createEventActivities(deps),
  });
}

async function failureOf(run: (order: never) => Promise<unknown>, error: unknown) {
  const environment = new MockActivityEnvironment({}, { logger: quiet });
  return await environment.run(run, throwing<never>(error)).catch((failure: unknown) => failure);
}

describe('how activities fail, every one of them', () => {
  test('a refusal of ours is final, in its own words', async () => {
    const error = new BillingError('conflict', 'other facts');
    for (const [name, run] of allActivities(error)) {
      const failure = await failureOf(run, error);
      const refused = { type: 'Refused', nonRetryable: true, message: 'other facts' };
      expect({ name, failure }).toMatchObject({ name, failure: refused });
    }
  });

  test('anything from outside stays what it is, and is tried again', async () => {
    const error = new TypeError('fetch failed');
    for (const [name, run] of allActivities(error)) {
      expect({ name, failure: await failureOf(run, error) }).toEqual({ name, failure: error });
    }
  });
});

describe('I10 what an error’s words hold is hidden before Temporal keeps them', () => {
  const secret = ['sk', 'live', 'canary51HexampleOfAKey'].join('_');
  const mail = 'anna.canary@example.com';

  test('I10 in the message, in the stack and in every cause, even where causes go in a circle', async () => {
    const cause = new Error(`no answer for ${mail}`);
    const error = new Error(`refused ${secret}`, { cause });
    cause.cause = error;
    for (const [, run] of allActivities(error)) {
      const failure = (await failureOf(run, error)) as Error;
      const inner = failure.cause as Error;
      expect([failure.message, inner.message]).toEqual([
        'refused [hidden]',
        'no answer for [hidden]',
      ]);
      expect(`${failure.stack}${inner.stack}`).not.toMatch(/canary/);
    }
    const refusal = new BillingError('conflict', `not ${mail}`);
    const [first] = allActivities(refusal);
    expect(
      await failureOf(first?.[1] ?? (async () => await Promise.resolve()), refusal),
    ).toMatchObject({
      message: 'not [hidden]',
    });
  });

  test('I10 in what Stripe says of a record, which its row and its dead letter repeat', () => {
    const said = Stripe.errors.StripeError.generate({
      type: 'invalid_request_error',
      message: `No such customer for ${mail} by ${secret}`,
    } as never);
    expect(JSON.stringify(stripeProblem(said))).toContain(
      'No such customer for [hidden] by [hidden]',
    );
  });
});

const workflows = join(import.meta.dirname, '../../workflows');

/** Names of the activities that a workflow calls through options with a heartbeat timeout. */
function underHeartbeat(): string[] {
  const options = readFileSync(join(workflows, 'activity-options.ts'), 'utf8');
  const proxies = options
    .split(/^export /m)
    .filter((block) => block.includes('heartbeatTimeout:'))
    .map((block) => /^(?:const|function) (\w+)/.exec(block)?.[1] ?? '');
  const stories = readdirSync(workflows).map((file) => readFileSync(join(workflows, file), 'utf8'));
  const calls = proxies.flatMap((proxy) => [
    ...stories.join('\n').matchAll(new RegExp(`\\b${proxy}(?:\\(\\))?\\.(\\w+)\\(`, 'g')),
  ]);
  // `customer` calls its one activity by two names of its own.
  const own = Object.keys(createEventActivities(throwing<Dependencies>(new Error('unused'))));
  return [...new Set([...calls.map(([, activity]) => activity ?? ''), ...own])].toSorted();
}

test('FM13 every activity with a heartbeat timeout beats, and once more when it fails', async () => {
  const error = new Error('away');
  const beating: string[] = [];
  for (const [name, run] of allActivities(error)) {
    const environment = new MockActivityEnvironment({}, { logger: quiet });
    environment.on('heartbeat', () => beating.push(name));
    await expect(environment.run(run, throwing<never>(error))).rejects.toThrow('away');
  }
  expect(underHeartbeat()).toContain('processChunk');
  expect(underHeartbeat().filter((name) => !beating.includes(name))).toEqual([]);
});

test('WH24 a catch-up since a day that is none is refused; it is not tried for hours', async () => {
  const deps = { stripe: {}, now: () => new Date() } as Dependencies;
  const environment = new MockActivityEnvironment({}, { logger: quiet });
  const { catchUpEvents } = createActivities(deps);
  await expect(environment.run(catchUpEvents, { since: '2026-02-30' })).rejects.toMatchObject({
    type: 'Refused',
    nonRetryable: true,
    message: '"2026-02-30" is not a day (YYYY-MM-DD)',
  });
});

test.each([
  [
    new Error('Exceeded 10000 parts in multipart upload to Bucket: b Key: k.'),
    'grew past what one upload takes',
  ],
  [Object.assign(new Error(), { name: 'EntityTooLarge' }), 'would be larger than the store takes'],
  [Object.assign(new Error(), { name: 'SlowDown' }), undefined],
])('FM17 output that one upload cannot take fails once and clearly: %s', (error, reason) => {
  expect(whyUnwritable(error, 'service/output/cus_1/job/a.gz')).toBe(reason);
});
