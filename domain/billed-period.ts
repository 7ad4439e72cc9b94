/** The time that an invoice's lines bill (WH22). */

export interface Period {
  /** ISO 8601 UTC. */
  start: string;
  end: string;
}

export interface BilledPeriods {
  /** From the earliest to the latest of what is billed. */
  whole: Period | undefined;
  /** Usage, when it is of another time than the licences. */
  metered: Period | undefined;
  /** Licences, when they are of another time than the usage. */
  licensed: Period | undefined;
}

/**
 * Stripe bills usage behind its period and a licence ahead of it, so that a renewal's invoice has lines of
 * two months. A line of no length (a one-off item) says nothing beside one of a subscription.
 * https://docs.stripe.com/billing/subscriptions/usage-based
 */
export function billedPeriods(
  lines: readonly (Period & { ofSubscription: boolean })[],
  createdAt: string,
): BilledPeriods {
  const recurring = lines.filter(({ ofSubscription, start, end }) => ofSubscription && start < end);
  const counted = recurring.length > 0 ? recurring : lines;
  const metered = span(counted.filter(({ end }) => end <= createdAt));
  const licensed = span(counted.filter(({ end }) => end > createdAt));
  const differ = metered !== undefined && licensed !== undefined;
  return {
    whole: span(counted),
    metered: differ ? metered : undefined,
    licensed: differ ? licensed : undefined,
  };
}

function span(lines: readonly Period[]): Period | undefined {
  const [first, ...others] = lines;
  if (first === undefined) return undefined;
  return others.reduce(
    (whole: Period, { start, end }) => ({
      start: start < whole.start ? start : whole.start,
      end: end > whole.end ? end : whole.end,
    }),
    { start: first.start, end: first.end },
  );
}
