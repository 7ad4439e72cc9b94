/**
 * A month's storage bills: pages of customers, a sliding window of one child each. The window lives on
 * when the workflow goes on as new; a child that failed, timed out or was lost frees its slot.
 */
import {
  condition,
  continueAsNew,
  defineQuery,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { parseMonth, previousMonth } from '../domain/period.ts';
import { queryNames } from '../domain/temporal-names.ts';
import type { ProgressOf } from '../engine/contract.ts';
import { housekeepingActivities } from './activity-options.ts';
import { BillingWindow } from './billing-window.ts';
import type { BillStorageInput, BillStorageProgress } from '../domain/storage-runs.ts';
import { refuseInvalid } from './failures.ts';
import { nominalDay } from './nominal-time.ts';

const progressQuery = defineQuery<ProgressOf<'billStorage'>>(queryNames.progress);

export async function billStorage(input: BillStorageInput = {}): Promise<BillStorageProgress> {
  const month = refuseInvalid(() =>
    input.month === undefined ? previousMonth(nominalDay()) : parseMonth(input.month),
  );
  const window = new BillingWindow(month, input);
  setHandler(progressQuery, () => window.progress());

  if (input.carried === undefined) await housekeepingActivities.checkMonth(month);
  else window.followCarried();
  const isLong = (): boolean => workflowInfo().continueAsNewSuggested;
  for (;;) {
    await window.fill(isLong);
    if (window.isEmpty()) return window.progress();
    if (isLong()) {
      await continueAsNew<typeof billStorage>(window.handOver());
    }
    await condition(() => window.hasRoom() || isLong());
  }
}
