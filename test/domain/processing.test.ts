import { expect, test } from 'vitest';
import { refuseOtherJob } from '../../domain/processing.ts';
import { BillingError } from '../../domain/errors.ts';

const begun = { customerId: 'cus_1', filesDigest: 'a' };

test.each([
  ['another customer', { ...begun, customerId: 'cus_2' }],
  ['other files', { ...begun, filesDigest: 'b' }],
  ['another customer and other files', { customerId: 'cus_2', filesDigest: 'b' }],
])('FM1 the same id with %s is another job', (what, asked) => {
  const message = `processing job was submitted before with ${what}: choose another id`;
  expect(() => {
    refuseOtherJob('job', begun, asked);
  }).toThrow(new BillingError('conflict', message));
});

test('FM1 the same id with the same facts is the same job', () => {
  expect(() => {
    refuseOtherJob('job', { ...begun }, begun);
  }).not.toThrow();
});
