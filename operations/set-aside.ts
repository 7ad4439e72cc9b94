/**
 * Setting a cast's cents aside: the budget by one conditional write, then the rate limit. A repeated
 * request relies on what an earlier one set aside, and an outage of the tables has an allowance of its own.
 */
import { randomUUID } from 'node:crypto';
import { isSoftLimitNew } from '../domain/budgets.ts';
import type { CastPrice, UsageCounter } from '../domain/budgets.ts';
import { priceCast, pricesBytes, reservationOf } from '../domain/casts.ts';
import type { Cast, FileVersion } from '../domain/casts.ts';
import { BillingError } from '../domain/errors.ts';
import { dayOf, monthOf } from '../domain/period.ts';
import type { RaiseAlert } from '../platform/alerts.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Spending } from '../tables/spending.ts';
import type { OutageAllowance } from './outage-allowance.ts';
import type { Refusals } from './refusals.ts';

export interface SetAsideDependencies {
  spending: Pick<Spending, 'reserve' | 'foresee' | 'join' | 'leave' | 'passSoftLimit'>;
  refusals: Refusals;
  /** Sizes and ETags, in the order of the files. Throws BillingError for one that is not there. */
  measureFiles: (customerId: string, files: readonly string[]) => Promise<FileVersion[]>;
  price: CastPrice;
  allowance: OutageAllowance;
  raiseAlert: RaiseAlert;
  metrics: Pick<Metrics, 'budgetBlocks'>;
  logger: Logger;
  now: () => Date;
  /** Temporal's time, which DURABILL_CLOCK does not move: a workflow tells by it whether it began too late. */
  wallClock: () => Date;
}

export interface CastOrder {
  customerId: string;
  files: readonly string[];
  idempotencyKey?: string | undefined;
  /** Counts the request; throws BillingError `rate_limited`. */
  takeRate: () => Promise<void>;
}

/** A reservation that ends while a repeated request reaches for it is made anew; each time takes a run. */
const mostTakeOvers = 5;

/** What is to run: its id, and the SHA-256 of its files. */
export interface Job {
  processingId: string;
  files: string[];
  digest: string;
}

/** Sets the cents aside, and then counts the request: over both limits it is the budget that refuses (GA3). */
export async function setAside(
  deps: SetAsideDependencies,
  request: CastOrder,
  job: Job,
): Promise<Cast> {
  const { price, spending, allowance } = deps;
  const order = { ...request, takeRate: countOnce(deps, request) };
  const { customerId } = order;
  const at = deps.wallClock();
  const versions = pricesBytes(price) ? await deps.measureFiles(customerId, job.files) : undefined;
  const cast: Cast = {
    period: monthOf(dayOf(deps.now().getTime())),
    cents: priceCast(price, versions ?? []),
    at: at.toISOString(),
    token: randomUUID(),
    price,
    ...(versions === undefined ? {} : { versions }),
  };
  await refuseAgain(deps, order, job, cast);
  const reserved = await reserveOrJoin(deps, cast, order, job).catch(
    async (cause: unknown) => await inOutage(deps, order, cast, cause),
  );
  if (reserved === 'outage') return { ...cast, outage: true };
  if (reserved.state === 'joined') return reserved.cast;
  const { counter } = reserved;
  allowance.learn(counter);
  if (!('cast' in reserved)) {
    if (reserved.state === 'refused') throw overBudget(deps, counter, cast.cents);
    throw new BillingError('rate_limited', 'too many casts are under way: try again in a while');
  }
  try {
    await order.takeRate();
  } catch (error) {
    await spending.leave(reservationOf(job.processingId, customerId, reserved.cast));
    throw error;
  }
  await tellSoftLimit(deps, counter);
  return reserved.cast;
}

/** Counts the request once, however often it is asked to, and remembers whom the rate limit refused. */
function countOnce(
  { refusals }: SetAsideDependencies,
  { customerId, takeRate }: CastOrder,
): () => Promise<void> {
  let counted: Promise<void> | undefined;
  return async () => {
    try {
      await (counted ??= takeRate());
    } catch (error) {
      refusals.note(customerId, 'rate');
      throw error;
    }
  };
}

/**
 * A customer that was refused a moment ago is most likely refused again, and is so before anything is
 * written for it: without room by a read that others share; where it came too often, by counting the request
 * before its cents are set aside. What cannot be told here is decided by `reserve`, as without this.
 */
async function refuseAgain(
  deps: SetAsideDependencies,
  { customerId, takeRate }: CastOrder,
  { processingId }: Job,
  cast: Cast,
): Promise<void> {
  const last = deps.refusals.last(customerId);
  if (last === undefined) return;
  const { token: _none, ...reservation } = reservationOf(processingId, customerId, cast);
  // An outage has its own order: see `inOutage`.
  const foreseen = await deps.spending.foresee(reservation).catch(() => undefined);
  if (foreseen?.state === 'refused') {
    deps.allowance.learn(foreseen.counter);
    throw overBudget(deps, foreseen.counter, cast.cents);
  }
  if (foreseen?.state === 'open' && last === 'rate') await takeRate();
}

/** `joined`: an earlier request with this key has set it aside, and perhaps not started it yet. */
type Reserved =
  | { state: 'joined'; cast: Cast }
  | { state: 'reserved'; cast: Cast; counter: UsageCounter }
  | { state: 'refused' | 'crowded'; counter: UsageCounter };

async function reserveOrJoin(
  { spending }: SetAsideDependencies,
  cast: Cast,
  { customerId }: CastOrder,
  { processingId, digest }: Job,
): Promise<Reserved> {
  const { token: _ofOutage, ...reservation } = reservationOf(processingId, customerId, cast);
  for (let tries = 0; tries < mostTakeOvers; tries += 1) {
    const reserved = await spending.reserve(reservation, { at: cast.at, digest });
    if (!('entry' in reserved)) return reserved;
    const { entry, counter } = reserved;
    const own = { ...cast, token: entry.token };
    if (reserved.state === 'reserved') return { state: 'reserved', counter, cast: own };
    if (entry.digest !== digest) {
      throw new BillingError('conflict', `${processingId} was cast before with other files`);
    }
    if (entry.cents !== cast.cents) {
      throw new BillingError('conflict', `files of ${processingId} were changed meanwhile`);
    }
    const isJoined = await spending.join({ ...reservation, token: entry.token }, cast.at);
    if (isJoined) return { state: 'joined', cast: own };
  }
  throw new BillingError('unavailable', `${processingId} begins and ends too often: try again`);
}

/** The tables do not answer: it may pass by the allowance, and is counted by its workflow (GA5). */
async function inOutage(
  { allowance, logger }: SetAsideDependencies,
  { customerId, takeRate }: CastOrder,
  { cents }: Cast,
  cause: unknown,
): Promise<'outage'> {
  if (cause instanceof BillingError) throw cause;
  if (!allowance.take(customerId, cents)) {
    throw new BillingError('unavailable', 'budgets cannot be read now: try again', { cause });
  }
  try {
    await takeRate();
  } catch (error) {
    allowance.giveBack(customerId, cents);
    throw error;
  }
  logger.warn({ err: cause, customerId, cents }, 'the tables are away: cast by the allowance');
  return 'outage';
}

function overBudget(
  { metrics, refusals }: SetAsideDependencies,
  counter: UsageCounter,
  requestedCents: number,
): BillingError {
  metrics.budgetBlocks.inc();
  refusals.note(counter.customerId, 'budget');
  const { period, hardLimitCents = 0, usedCents, reservedCents } = counter;
  return new BillingError(
    'budget_exceeded',
    `the cast costs ${requestedCents} cents, and the budget of ${period} has no room for it`,
    { fields: { period, limitCents: hardLimitCents, usedCents, reservedCents, requestedCents } },
  );
}

/** Once a month; a failure here stops no cast. */
async function tellSoftLimit(
  { spending, raiseAlert, logger, now }: SetAsideDependencies,
  counter: UsageCounter,
): Promise<void> {
  if (!isSoftLimitNew(counter)) return;
  const { customerId, period, usedCents, reservedCents, softLimitCents, hardLimitCents } = counter;
  try {
    if (!(await spending.passSoftLimit(customerId, period, now().toISOString()))) return;
  } catch (err) {
    logger.warn({ err, customerId }, 'the soft limit could not be marked as passed');
    return;
  }
  const facts = { period, usedCents: usedCents + reservedCents, softLimitCents, hardLimitCents };
  await raiseAlert({ kind: 'soft_limit_passed', customerId, facts });
}
