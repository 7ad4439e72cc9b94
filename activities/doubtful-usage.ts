/** What becomes of usage that may be at Stripe already, by Stripe's own sums (DL2, DL14). */
import type Stripe from 'stripe';
import { meterEventsOf, missingEvents } from '../domain/meter-events.ts';
import { clearsUp } from '../domain/dead-letters.ts';
import type { UsageRecord } from '../domain/usage.ts';
import { UnreadableRow } from '../tables/read-rows.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent, stripeProblem, temporary } from './failures.ts';
import { confirm, layAside, proofText, withProof } from './settle-usage.ts';
import type { SendOutcome } from './settle-usage.ts';
import { askSums, NoMeter } from './stripe-sums.ts';
import type { Asked } from './stripe-sums.ts';

/** `record`: nothing of it is in doubt any more. `outcome`: it was settled, or waits for the sums. */
type Resolved = { record: UsageRecord } | { outcome: SendOutcome };

export async function resolveDoubt(
  deps: Dependencies,
  stripe: Stripe,
  record: UsageRecord,
): Promise<Resolved> {
  let asked: Asked;
  try {
    asked = await askSums(deps, stripe, record);
  } catch (error) {
    return { outcome: await afterFailedQuestion(deps, record, error) };
  }
  const { judgement, records } = asked;
  switch (judgement.verdict) {
    case 'not-yet':
      return { outcome: await askLater(deps, record, judgement.askAgainAtMs) };
    case 'unclear': {
      const reason = `it may be at Stripe, and Stripe’s sums do not tell. ${clearsUp(record.identifier)}`;
      return { outcome: await layAside(deps, record, 'parked', reason) };
    }
    case 'arrived':
      return await noteArrived(deps, record);
    case 'absent':
      await noteAbsent(deps, records);
      return { record: await reread(deps, record) };
  }
}

/** 401 and 403 halt, what Stripe refuses is rejected, all else is asked again (DL3). */
async function afterFailedQuestion(
  deps: Dependencies,
  record: UsageRecord,
  error: unknown,
): Promise<SendOutcome> {
  const refuse = async (message: string) => {
    const reason = `${message}. It may be at Stripe. ${clearsUp(record.identifier)}`;
    return await layAside(deps, record, 'rejected', reason);
  };
  if (error instanceof NoMeter) return await refuse(error.message);
  // Of another record of its minute: without it the sums tell nothing.
  if (error instanceof UnreadableRow && error.rowName !== `usage-ledger/${record.identifier}`) {
    return await refuse(error.message);
  }
  const problem = stripeProblem(error);
  if (problem === undefined || problem.kind === 'already_exists') throw error;
  const message = `asking Stripe’s sums: ${problem.message}`;
  if (problem.kind === 'refused') return await refuse(message);
  if (problem.kind === 'unauthorized') throw permanent('DeliveryHalted', message);
  throw temporary(message, problem.kind === 'transient' ? problem.retryAfterMs : undefined);
}

async function askLater(
  deps: Dependencies,
  record: UsageRecord,
  askAgainAtMs: number,
): Promise<SendOutcome> {
  const now = deps.now();
  const { identifier } = record;
  const at = new Date(askAgainAtMs).toISOString();
  if ((await deps.ledger.askLater(identifier, at, now.toISOString())) === undefined) {
    throw temporary(`usage record ${identifier} changed under us`);
  }
  return { identifier, state: 'pending', dueInMs: Math.max(1, askAgainAtMs - now.getTime()) };
}

/** The event that was in doubt is there; of a large quantity others may follow (DL7). */
async function noteArrived(deps: Dependencies, record: UsageRecord): Promise<Resolved> {
  const [event, following] = missingEvents(record);
  const now = deps.now();
  const arrival = event && ({ place: event.place, by: 'sums' } as const);
  if (event === undefined || following === undefined) {
    return { outcome: await confirm(deps, record, arrival) };
  }
  const what = `event ${event.place} of ${meterEventsOf(record).length} ${proofText.sums}`;
  const line = { what, now: now.toISOString(), next: false };
  const provenBy = withProof(record, arrival, now);
  const noted = await deps.ledger.noteEvent(record, event.place, { ...line, provenBy });
  if (noted === undefined) throw temporary(`usage record ${record.identifier} changed under us`);
  return { record: noted };
}

/**
 * What was in doubt in that minute is so no longer, all of it: else the first of them that is sent would
 * put off the question about the next one by an hour, and a backlog would take days.
 */
async function noteAbsent(deps: Dependencies, records: readonly UsageRecord[]): Promise<void> {
  const now = deps.now().toISOString();
  for (const record of records) {
    const isSettled = record.state === 'delivered' || record.doubtSince === undefined;
    if (!isSettled) await deps.ledger.noteAbsent(record, now);
  }
}

async function reread(deps: Dependencies, { identifier }: UsageRecord): Promise<UsageRecord> {
  const record = await deps.ledger.get(identifier);
  if (record?.state === 'pending' || record?.state === 'sending') return record;
  throw temporary(`usage record ${identifier} changed under us`);
}
