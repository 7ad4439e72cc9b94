/** What one run of `deliverUsage` remembers, and how it moves. */
import { condition, isCancellation, log, sleep, workflowInfo } from '@temporalio/workflow';
import { DeliveryQueue } from '../domain/delivery-queue.ts';
import type { QueuedDelivery } from '../domain/delivery-queue.ts';
import { deliveryActivities, stripeActivities } from './activity-options.ts';
import type {
  DeliverUsageInput,
  DeliveryProgress,
  DeliveryTally,
  UsageArrival,
} from '../domain/delivery-runs.ts';
import { failedAs, reasonOf } from './failures.ts';

/** Lanes of one shard sending at the same time. */
const lanesAtOnce = 20;
/** Waiting records handed to the next run; the rest is found again by a sweep. */
const mostCarried = 1000;
/** With more left in the ledger, the shard looks again when so few wait. */
const fewWaiting = 100;
/** When Stripe refuses our key every record would fail alike: the shard stops for so long. */
const haltMs = 5 * 60_000;
/** What the ledger could not be asked or told is tried again after so long. */
const ledgerPauseMs = 60_000;
/** A record that has just arrived is due at once and gets the first round of retries. */
const atOnce = 0;

export class ShardDelivery {
  readonly tally: DeliveryTally;
  readonly #shard: number;
  readonly #queue: DeliveryQueue;
  readonly #firstRound = stripeActivities(workflowInfo().taskQueue, 'first');
  readonly #laterRound = stripeActivities(workflowInfo().taskQueue, 'later');
  #sweepWanted: boolean;
  #isSweeping = false;
  #moreInLedger = false;
  /** Ended since the last look into the ledger began: what it lists of them is old. */
  readonly #finishedMeanwhile = new Set<string>();
  #haltedUntilMs: number;
  /** After a halt one record goes first; the others follow when it was taken. */
  #probing: boolean;
  #changes = 0;
  #seenChanges = 0;
  #alarmAtMs: number | undefined;

  constructor(input: DeliverUsageInput) {
    this.#shard = input.shard;
    this.#queue = new DeliveryQueue(input.carried);
    this.#sweepWanted = input.sweep ?? false;
    this.#probing = input.halt?.probing ?? false;
    this.#haltedUntilMs = input.halt?.untilMs ?? 0;
    this.tally = input.tally ?? { delivered: 0, laidAside: 0, putOff: 0 };
  }

  arrive({ identifier, lane }: UsageArrival): void {
    this.#queue.add({ identifier, lane, dueAtMs: atOnce });
    this.#changes += 1;
  }

  wantSweep(): void {
    this.#sweepWanted = true;
    this.#changes += 1;
  }

  /** Nothing is being sent. */
  isQuiet(): boolean {
    return this.#queue.inFlight === 0;
  }

  /** Nothing is left to do. */
  isIdle(): boolean {
    return this.isQuiet() && this.#queue.waiting === 0 && !this.#sweepWanted && !this.#isSweeping;
  }

  handOver(): DeliverUsageInput {
    const left = this.#queue.waiting > mostCarried;
    return {
      shard: this.#shard,
      carried: this.#queue.carry(mostCarried),
      // A sweep under way only reads: the next run begins it anew.
      sweep: this.#sweepWanted || this.#isSweeping || this.#moreInLedger || left,
      tally: this.tally,
      ...(this.#haltedUntilMs > 0
        ? { halt: { untilMs: this.#haltedUntilMs, probing: this.#probing } }
        : {}),
    };
  }

  progress(): DeliveryProgress {
    const halted = this.#haltedUntilMs > Date.now();
    return {
      shard: this.#shard,
      waiting: this.#queue.waiting,
      inFlight: this.#queue.inFlight,
      ...this.tally,
      ...(halted ? { haltedUntil: new Date(this.#haltedUntilMs).toISOString() } : {}),
    };
  }

  /** Begins to look into the ledger when asked to, and to send what may be sent now (DL16: side by side). */
  start(): void {
    if (this.#sweepWanted && !this.#isSweeping) void this.#sweep();
    if (Date.now() < this.#haltedUntilMs) return;
    for (const entry of this.#queue.take(Date.now(), this.#probing ? 1 : lanesAtOnce)) {
      void this.#deliver(entry);
    }
  }

  /** Waits until a signal came, a delivery ended, or something falls due. */
  async change(): Promise<void> {
    this.#setAlarm();
    await condition(() => this.#changes !== this.#seenChanges);
    this.#seenChanges = this.#changes;
  }

  async #sweep(): Promise<void> {
    this.#sweepWanted = false;
    this.#moreInLedger = false;
    this.#isSweeping = true;
    this.#finishedMeanwhile.clear();
    try {
      const { waiting, more } = await deliveryActivities().listUndelivered({ shard: this.#shard });
      for (const { identifier, lane, dueInMs } of waiting) {
        if (this.#finishedMeanwhile.has(identifier)) continue;
        this.#queue.add({ identifier, lane, dueAtMs: Date.now() + dueInMs });
      }
      this.#moreInLedger = more;
    } catch (error) {
      if (isCancellation(error)) return;
      log.error('the ledger could not be swept', { reason: reasonOf(error) });
      await pause(ledgerPauseMs, 'the ledger is swept again');
      this.#sweepWanted = true;
    } finally {
      this.#isSweeping = false;
      this.#changes += 1;
    }
  }

  async #deliver(entry: QueuedDelivery): Promise<void> {
    const { identifier } = entry;
    const round = entry.dueAtMs === atOnce ? this.#firstRound : this.#laterRound;
    let againAtMs: number | undefined;
    try {
      const { state, dueInMs } = await round.sendUsage({ identifier });
      if (dueInMs !== undefined) againAtMs = Date.now() + dueInMs;
      else if (state === 'delivered') this.tally.delivered += 1;
      else this.tally.laidAside += 1;
      this.#probing = false;
    } catch (error) {
      againAtMs = await this.#putOff(identifier, error);
    }
    this.#queue.finish(entry, againAtMs);
    this.#finishedMeanwhile.add(identifier);
    if (this.#moreInLedger && this.#queue.waiting < fewWaiting) this.#sweepWanted = true;
    this.#changes += 1;
  }

  /** When it is due again; undefined when that is for the next sweep to find out. */
  async #putOff(identifier: string, error: unknown): Promise<number | undefined> {
    if (isCancellation(error)) return undefined;
    const halted = failedAs(error, 'DeliveryHalted');
    // Any other failure is the record's own: it holds up nobody, and the key is not refused (DL12).
    this.#probing = halted;
    if (halted) this.#haltedUntilMs = Date.now() + haltMs;
    this.tally.putOff += 1;
    try {
      const order = { identifier, error: reasonOf(error), halted };
      const deferred = await deliveryActivities().deferUsage(order);
      return deferred.again ? Date.now() + deferred.dueInMs : undefined;
    } catch (failure) {
      if (isCancellation(failure)) return undefined;
      // The ledger has it as it was: the next try reads it there.
      log.error('a delivery could not be put off', { identifier, reason: reasonOf(failure) });
      return Date.now() + ledgerPauseMs;
    }
  }

  /** One timer for the next moment at which something may be sent. */
  #setAlarm(): void {
    const dueMs = this.#queue.nextDueMs();
    if (dueMs === undefined) return;
    const atMs = Math.max(dueMs, this.#haltedUntilMs);
    // Something due already waits for a lane, and hears when one is free.
    if (atMs <= Date.now() && this.#queue.inFlight > 0) return;
    if (this.#alarmAtMs !== undefined && this.#alarmAtMs <= atMs) return;
    this.#alarmAtMs = atMs;
    const ring = (): void => {
      if (this.#alarmAtMs === atMs) this.#alarmAtMs = undefined;
      this.#changes += 1;
    };
    const waitMs = Math.max(1, atMs - Date.now());
    void sleep(waitMs, { summary: 'the next record is due' }).then(ring, () => undefined);
  }
}

/** A timer with a name; a cancellation ends it early, and whoever waits here sees to it himself. */
async function pause(ms: number, summary: string): Promise<void> {
  await sleep(ms, { summary }).catch(() => undefined);
}
