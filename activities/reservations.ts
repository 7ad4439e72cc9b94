/** What casts set aside: ended with what they cost, and found again when nobody ended them (GA2, GA11). */
import { fateOf, repairAfterMs, reservationOf } from '../domain/casts.ts';
import type { Cast } from '../domain/casts.ts';
import { dayOf, monthOf, previousMonth } from '../domain/period.ts';
import type { Processing } from '../tables/processing-history.ts';
import type { OpenReservation } from '../tables/usage-counters.ts';
import type { Dependencies } from './dependencies.ts';

interface CastRef {
  processingId: string;
  customerId: string;
  cast?: Cast;
}

type SpendingDependencies = Pick<Dependencies, 'spending'>;
type RepairDependencies = Pick<
  Dependencies,
  'spending' | 'processings' | 'signals' | 'now' | 'wallClock' | 'logger' | 'metrics'
>;

/** Once, however often it is asked. */
export async function settleCast(
  { spending }: SpendingDependencies,
  { processingId, customerId, cast }: CastRef,
  usedCents: number,
): Promise<void> {
  if (cast === undefined) return;
  await spending.settle(reservationOf(processingId, customerId, cast), usedCents);
}

/**
 * Of a cast that was let through while the tables were away: counted now, whatever room there is (GA5).
 * What a repeated request has set aside under its id meanwhile makes way: it will find this one running.
 */
export async function reserveLate(
  { spending }: SpendingDependencies,
  job: CastRef & { cast: Cast; filesDigest: string },
): Promise<void> {
  const reservation = reservationOf(job.processingId, job.customerId, job.cast);
  const made = { at: job.cast.at, digest: job.filesDigest };
  const reserved = await spending.reserve(reservation, made, true);
  if (reserved.state !== 'already' || reserved.entry.token === job.cast.token) return;
  const { token, cents } = reserved.entry;
  await spending.settle({ ...reservation, token, cents }, 0);
  throw new Error(`a repeated request had set ${job.processingId} aside: it is counted next time`);
}

/**
 * Ends every reservation whose processing has ended or never began. The months before this one are
 * looked at too: a reservation stays in its own (GA12).
 */
export async function repairReservations(deps: RepairDependencies): Promise<{ repaired: number }> {
  const month = monthOf(dayOf(deps.now().getTime()));
  let repaired = 0;
  for (const period of [month, previousMonth(month)]) {
    let after: string | undefined;
    do {
      const page = await deps.spending.openOnes(period, after);
      for (const customerId of page.customerIds) {
        repaired += await repairCustomer(deps, customerId, period);
      }
      after = page.next;
    } while (after !== undefined);
  }
  deps.metrics.reservationsRepaired.inc(repaired);
  return { repaired };
}

/** One customer whose rows cannot be read does not keep the others. */
async function repairCustomer(
  deps: RepairDependencies,
  customerId: string,
  period: string,
): Promise<number> {
  try {
    const counter = await deps.spending.get(customerId, period);
    const oldest = new Date(deps.wallClock().getTime() - repairAfterMs).toISOString();
    const old = Object.entries(counter?.open ?? {}).filter(([, { at }]) => at <= oldest);
    let repaired = 0;
    for (const [processingId, entry] of old) {
      if (await repairOne(deps, { customerId, period, processingId }, entry)) repaired += 1;
    }
    await deps.spending.markClosed(customerId, period);
    return repaired;
  } catch (err) {
    deps.logger.error({ err, customerId, period }, 'reservations could not be repaired');
    return 0;
  }
}

async function repairOne(
  { spending, processings, signals, now }: RepairDependencies,
  {
    customerId,
    period,
    processingId,
  }: { customerId: string; period: string; processingId: string },
  { cents, at, token }: OpenReservation,
): Promise<boolean> {
  let row = await processings.get(processingId);
  const isRunning = isOver(row) ? false : await signals.isProcessingRunning(processingId);
  // It may have ended between the two questions.
  if (!isOver(row) && !isRunning) row = await processings.get(processingId);
  let fate = fateOf(token, row, isRunning);
  if (fate.do === 'fail') {
    row = await processings.fail(
      processingId,
      'its workflow was ended from outside',
      now().toISOString(),
    );
    fate = fateOf(token, row, false);
  }
  if (fate.do !== 'settle') return false;
  const reservation = { customerId, period, reservationId: processingId, cents, token };
  return await spending.settle(reservation, Math.min(fate.cents, cents), { at });
}

function isOver(row: Processing | undefined): boolean {
  return row !== undefined && row.status !== 'in_progress';
}
