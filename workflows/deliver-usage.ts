/**
 * The delivery of one shard of the ledger. It is the only one to send that shard's records, one at a
 * time per customer and meter. Its memory is a hint; the ledger is the truth, so a run that is lost
 * loses nothing: the next sweep finds what it left.
 */
import {
  continueAsNew,
  defineQuery,
  defineSignal,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { queryNames, signalNames } from '../domain/temporal-names.ts';
import type { DeliverUsageInput, DeliveryTally } from '../domain/delivery-runs.ts';
import type { ProgressOf, SignalArgs } from '../engine/contract.ts';
import { ShardDelivery } from './shard-delivery.ts';

/** Far below Temporal's 51,200 events and 10,000 signals a run. */
const longHistory = 8000;

const progressQuery = defineQuery<ProgressOf<'deliverUsage'>>(queryNames.progress);
const usageArrived = defineSignal<SignalArgs<'deliverUsage', 'usageArrived'>>(
  signalNames.usageArrived,
);
const sweep = defineSignal<SignalArgs<'deliverUsage', 'sweep'>>(signalNames.sweep);

export async function deliverUsage(input: DeliverUsageInput): Promise<DeliveryTally> {
  const delivery = new ShardDelivery(input);
  setHandler(usageArrived, (arrival) => {
    delivery.arrive(arrival);
  });
  setHandler(sweep, () => {
    delivery.wantSweep();
  });
  setHandler(progressQuery, () => delivery.progress());

  for (;;) {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const goesOn = continueAsNewSuggested || historyLength > longHistory;
    if (!goesOn) delivery.start();
    if (delivery.isIdle()) return delivery.tally;
    // What is under way is waited for, so that the next run never sends beside it.
    if (goesOn && delivery.isQuiet()) await continueAsNew<typeof deliverUsage>(delivery.handOver());
    await delivery.change();
  }
}
