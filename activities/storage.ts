/** Storage, as the workflows know it. */
import {
  aggregateChunk,
  aggregateCustomers,
  forgetPlan,
  layAsideDay,
  planDay,
} from './aggregate-storage.ts';
import { checkMonth, listBillable, prepareBill } from './bill-storage.ts';
import type { Dependencies } from './dependencies.ts';
import { checkBills, completeBill, failBill } from './settle-bill.ts';

export function createStorageActivities(deps: Dependencies) {
  const activity =
    <Order, Result>(run: (deps: Dependencies, order: Order) => Result | Promise<Result>) =>
    async (order: Order): Promise<Result> =>
      await run(deps, order);
  return {
    planDay: activity(planDay),
    aggregateChunk: activity(aggregateChunk),
    aggregateCustomers: activity(aggregateCustomers),
    layAsideDay: activity(layAsideDay),
    forgetPlan: activity(forgetPlan),
    checkMonth: activity(checkMonth),
    listBillable: activity(listBillable),
    prepareBill: activity(prepareBill),
    completeBill: activity(completeBill),
    failBill: activity(failBill),
    checkBills: activity(checkBills),
  };
}
