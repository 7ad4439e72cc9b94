/** The customers of a month that are being billed, and those that wait for it. */
import {
  ActivityFailure,
  ParentClosePolicy,
  isCancellation,
  log,
  sleep,
  startChild,
} from '@temporalio/workflow';
import { startOptions, workflowTypes } from '../engine/contract.ts';
import { housekeepingActivities } from './activity-options.ts';
import type { billCustomerStorage } from './bill-customer-storage.ts';
import type {
  BillRun,
  BillStorageInput,
  BillStorageProgress,
  BillStorageTally,
} from '../domain/storage-runs.ts';
import { billFailed, failedAs, reasonOf } from './failures.ts';

const defaultWindow = 10;
const largestWindow = 500;
/** Customers read from the index at a time. */
const pageOfCustomers = 200;
/** How often the children of an earlier run are looked after: most of them end within a second. */
const [firstCheckMs, laterCheckMs] = [250, 5000];

export class BillingWindow {
  readonly #month: string;
  readonly #size: number;
  readonly #startedAtMs: number;
  /** By customer, the run that bills it; empty while it is being started. */
  readonly #running: Map<string, string>;
  /** Children that an earlier run of ours started: nobody tells us of their end. */
  readonly #carried: readonly BillRun[];
  readonly #tally: BillStorageTally;
  #waiting: string[];
  #after: string;
  #more: boolean;

  constructor(month: string, { window = defaultWindow, carried }: BillStorageInput) {
    this.#month = month;
    this.#size = Math.max(1, Math.min(largestWindow, Math.floor(window)));
    this.#startedAtMs = carried?.startedAtMs ?? Date.now();
    this.#carried = carried?.running ?? [];
    this.#running = new Map(this.#carried.map(({ customerId, runId }) => [customerId, runId]));
    this.#waiting = carried?.waiting ?? [];
    this.#after = carried?.after ?? '';
    this.#more = carried?.more ?? true;
    this.#tally = carried?.tally ?? { billed: 0, failed: 0, skipped: 0, bytes: '0' };
  }

  hasRoom(): boolean {
    const somethingWaits = this.#more || this.#waiting.length > 0;
    return this.#running.size === 0 || (somethingWaits && this.#running.size < this.#size);
  }

  isEmpty(): boolean {
    return this.#running.size === 0 && this.#waiting.length === 0 && !this.#more;
  }

  progress(): BillStorageProgress {
    return {
      month: this.#month,
      ...this.#tally,
      running: this.#running.size,
      durationMs: Date.now() - this.#startedAtMs,
    };
  }

  handOver(): BillStorageInput {
    return {
      month: this.#month,
      window: this.#size,
      carried: {
        after: this.#after,
        more: this.#more,
        waiting: this.#waiting,
        running: [...this.#running].map(([customerId, runId]) => ({ customerId, runId })),
        startedAtMs: this.#startedAtMs,
        tally: this.#tally,
      },
    };
  }

  /**
   * Starts children until the window is full, nobody is left, or the history has grown long: children
   * that end as quickly as others start would keep it here for good.
   */
  async fill(isLong: () => boolean): Promise<void> {
    while (this.#running.size < this.#size && !isLong()) {
      if (this.#waiting.length === 0 && this.#more) await this.#readPage();
      const batch = this.#waiting.splice(0, this.#size - this.#running.size);
      if (batch.length === 0) return;
      for (const customerId of batch) this.#running.set(customerId, '');
      await Promise.all(batch.map(async (customerId) => await this.#start(customerId)));
    }
  }

  /** Looks after the children of an earlier run until the last of them has ended. */
  followCarried(): void {
    const follow = async (): Promise<void> => {
      let left = [...this.#carried];
      let pauseMs = firstCheckMs;
      while (left.length > 0) {
        const order = { month: this.#month, runs: left };
        const standings = await housekeepingActivities.checkBills(order);
        for (const { customerId, state, bytes } of standings) {
          if (state !== 'running') this.#end(customerId, state, bytes);
        }
        left = left.filter(({ customerId }) => this.#running.has(customerId));
        if (left.length === 0) return;
        await sleep(pauseMs);
        pauseMs = Math.min(laterCheckMs, pauseMs * 2);
      }
    };
    // It fails only when it is cancelled (then so are we) or for days on end.
    void follow().catch((error: unknown) => {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) return;
      for (const { customerId } of this.#carried) this.#end(customerId, 'failed', '0');
    });
  }

  async #readPage(): Promise<void> {
    const order = { month: this.#month, after: this.#after, limit: pageOfCustomers };
    const { customerIds, more } = await housekeepingActivities.listBillable(order);
    this.#waiting.push(...customerIds);
    this.#after = customerIds.at(-1) ?? this.#after;
    this.#more = more;
  }

  async #start(customerId: string): Promise<void> {
    const order = { customerId, month: this.#month };
    // A child's id that runs is always refused.
    const { workflowIdConflictPolicy: _, ...options } = startOptions('billCustomerStorage', order);
    try {
      const child = await startChild<typeof billCustomerStorage>(
        workflowTypes.billCustomerStorage,
        {
          ...options,
          args: [order],
          parentClosePolicy: ParentClosePolicy.ABANDON,
        },
      );
      this.#running.set(customerId, child.firstExecutionRunId);
      void child.result().then(
        ({ state, bytes }) => {
          this.#end(customerId, state, bytes);
        },
        async (failure: unknown) => {
          await this.#noteLost(customerId, failure);
          this.#end(customerId, 'failed', '0');
        },
      );
    } catch (error) {
      if (!isAlreadyStarted(error)) throw error;
      this.#end(customerId, 'skipped', '0');
    }
  }

  /** A child that was terminated or timed out has not said why itself (SB14). */
  async #noteLost(customerId: string, failure: unknown): Promise<void> {
    if (failedAs(failure, billFailed)) return;
    const order = { customerId, month: this.#month, error: reasonOf(failure) };
    try {
      await housekeepingActivities.failBill(order);
    } catch (error) {
      log.error('a failed bill could not be noted', { customerId, reason: reasonOf(error) });
    }
  }

  #end(customerId: string, how: 'billed' | 'skipped' | 'failed', bytes: string): void {
    if (!this.#running.delete(customerId)) return;
    this.#tally[how] += 1;
    if (how === 'billed') this.#tally.bytes = String(BigInt(this.#tally.bytes) + BigInt(bytes));
  }
}

/** It runs: this month of this customer is in good hands. */
function isAlreadyStarted(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError';
}
