import { expect, test } from 'vitest';
import { startOptions, workflowTypes } from '../../engine/contract.ts';
import type { WorkflowName, WorkflowOf } from '../../engine/contract.ts';
import * as bundle from '../../workflows/index.ts';

test('every workflow of the bundle is as its contract says, and every contract has its workflow', () => {
  // The compiler compares what they take and answer; the test, that none is missing.
  const workflows: { [Name in WorkflowName]: WorkflowOf<Name> } = bundle;
  expect(Object.keys(workflows).toSorted()).toEqual(Object.values(workflowTypes).toSorted());
  expect(Object.keys(workflowTypes).toSorted()).toEqual(Object.values(workflowTypes).toSorted());
});

test('SB25 a storage bill may take a day and run again after any end, never twice at once, whoever starts it', () => {
  expect(startOptions('billCustomerStorage', { customerId: 'cus_1', month: '2026-02' })).toEqual({
    workflowId: 'bill-storage/cus_1/2026-02',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    workflowExecutionTimeout: '1 day',
    typedSearchAttributes: [
      { key: { name: 'CustomerId', type: 'KEYWORD' }, value: 'cus_1' },
      { key: { name: 'BillingMonth', type: 'KEYWORD' }, value: '2026-02' },
    ],
  });
});
