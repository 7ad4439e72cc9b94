import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import {
  createActivities,
  createEventActivities,
  createStripeActivities,
} from '../../activities/index.ts';
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
