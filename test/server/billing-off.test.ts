import { expect, test } from 'vitest';
import { warnOfMissing } from '../../platform/billing-off.ts';

const both = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x' };
const needs = ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const;

function told(config: Parameters<typeof warnOfMissing>[0], ofNeeds: typeof needs | []) {
  const lines: [string[], string][] = [];
  const warn = ({ missing }: { missing: string[] }, message: string): void => {
    lines.push([missing, message]);
  };
  warnOfMissing(config, { warn }, ofNeeds);
  return lines;
}

test('what billing lacks is one warning with every name that is missing, and none without', () => {
  expect(told(both, needs)).toEqual([]);
  expect(told({ ...both, STRIPE_SECRET_KEY: undefined }, [])).toEqual([]);
  expect(told({ STRIPE_SECRET_KEY: undefined, STRIPE_WEBHOOK_SECRET: undefined }, needs)).toEqual([
    [
      [...needs],
      'billing is off: set STRIPE_SECRET_KEY (or STRIPE_SECRET_ID); Stripe’s webhooks are refused: ' +
        'set STRIPE_WEBHOOK_SECRET',
    ],
  ]);
  const [[missing, message] = []] = told({ ...both, STRIPE_WEBHOOK_SECRET: undefined }, needs);
  expect([missing, message]).toEqual([
    ['STRIPE_WEBHOOK_SECRET'],
    'Stripe’s webhooks are refused: set STRIPE_WEBHOOK_SECRET',
  ]);
});
