/** One customer's month: figures → ledger → delivery → days marked → bill closed. */
import {
  ApplicationFailure,
  TemporalFailure,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { signalNames } from '../domain/temporal-names.ts';
import type { UsageSettled } from '../domain/usage.ts';
import type { SignalArgs } from '../engine/contract.ts';
import { tableActivities } from './activity-options.ts';
import type {
  BillCustomerStorageInput,
  BillCustomerStorageResult,
} from '../domain/storage-runs.ts';
import { billFailed, reasonOf } from './failures.ts';

/** How long the delivery is waited for. It goes on by itself, and starts us again when it succeeded. */
const deliveryPatience = '1 hour';

const usageSettled = defineSignal<SignalArgs<'billCustomerStorage', 'usageSettled'>>(
  signalNames.usageSettled,
);

export async function billCustomerStorage(
  order: BillCustomerStorageInput,
): Promise<BillCustomerStorageResult> {
  let settled: UsageSettled | undefined;
  setHandler(usageSettled, (told) => {
    settled = told;
  });
  let error: string;
  try {
    const run = { ...order, runId: workflowInfo().runId };
    const prepared = await tableActivities.prepareBill(run);
    const { bytes } = prepared;
    // A task that was lost is done again: what it did is found, and counts all the same.
    if (prepared.state === 'closed') return { state: 'billed', bytes };
    if (prepared.state === 'billed' || prepared.state === 'left') {
      return { state: 'skipped', bytes };
    }
    if (prepared.state === 'waiting') {
      await condition(() => settled !== undefined, deliveryPatience);
    }
    if (prepared.state === 'delivered' || heard(settled)?.state === 'delivered') {
      const { billed } = await tableActivities.completeBill(run);
      return { state: billed ? 'billed' : 'skipped', bytes };
    }
    error = heard(settled)?.error ?? 'the delivery to Stripe is still waiting';
  } catch (failure) {
    // Refused by our own rules (a conflict, a month too old): that is said like any other failure.
    // A local activity's failure comes without an ActivityFailure around it.
    if (isCancellation(failure) || !(failure instanceof TemporalFailure)) throw failure;
    error = reasonOf(failure);
  }
  await tableActivities.failBill({ ...order, error });
  // Failed, not completed: so the same month may be billed once more under this workflow's id.
  throw ApplicationFailure.nonRetryable(error, billFailed);
}

/** The handler writes the variable where the compiler does not look. */
function heard(settled: UsageSettled | undefined): UsageSettled | undefined {
  return settled;
}
