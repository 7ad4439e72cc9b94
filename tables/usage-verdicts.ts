/** What is known of a record afterwards, from Stripe or from a person; each step is conditional on the state before. */
import { meterEventsOf, missingEvents } from '../domain/meter-events.ts';
import type { UsageRecord } from '../domain/usage.ts';
import { laidAside } from './usage-change.ts';
import type { UsageChanges } from './usage-change.ts';
import { delivery, waiting } from './usage-steps.ts';

export function createUsageVerdicts({ change }: Pick<UsageChanges, 'change'>) {
  /**
   * Stripe had taken one of its meter events, and refused it afterwards: the record is `rejected` (one that is
   * laid aside stays as it is), and the event goes under another name if it is sent again (DL17). The others
   * keep what they are.
   */
  async function refuseLater(
    record: UsageRecord,
    place: number,
    error: string,
    now: string,
  ): Promise<UsageRecord | undefined> {
    const places =
      record.state === 'delivered'
        ? meterEventsOf(record).map((event) => event.place)
        : (record.arrived ?? []);
    const { refusals = {} } = record;
    const { [place]: _disproved, ...provenBy } = record.provenBy ?? {};
    const wasInDoubt = missingEvents(record)[0]?.place === place || record.state === 'delivered';
    return await change(record.identifier, [record.state], {
      now,
      what: `rejected: ${error}`,
      set: {
        state: laidAside.includes(record.state) ? record.state : 'rejected',
        error,
        arrived: places.filter((other) => other !== place),
        provenBy,
        refusals: { ...refusals, [place]: (refusals[place] ?? 0) + 1 },
      },
      remove: ['deliveryShard', 'nextAttemptAt', ...(wasInDoubt ? ['doubtSince'] : [])],
      as: record,
    });
  }

  /** A redrive: what was laid aside waits for delivery again. */
  async function requeue(record: UsageRecord, now: string): Promise<UsageRecord | undefined> {
    return await change(record.identifier, laidAside, waiting(record, now, 'redriven'));
  }

  /** A person knows what Stripe's sums do not tell (DL15): it is there, or is not and is sent once more. */
  async function settle(
    record: UsageRecord,
    as: 'delivered' | 'resend',
    { reason, now }: { reason: string; now: string },
  ): Promise<UsageRecord | undefined> {
    if (as === 'delivered') {
      const provenBy = { ...record.provenBy };
      const given = missingEvents(record).flatMap((event) => event ?? []);
      for (const { place } of given) provenBy[place] = { by: 'person', at: now };
      const step = delivery(now, `settled as delivered: ${reason}`, provenBy);
      return await change(record.identifier, laidAside, step);
    }
    const step = waiting(record, now, `settled, to be sent again: ${reason}`);
    const remove = [...(step.remove ?? []), 'doubtSince'];
    return await change(record.identifier, laidAside, { ...step, remove });
  }

  return { refuseLater, requeue, settle };
}
