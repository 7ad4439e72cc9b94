/** Whether nothing was lost, applied twice or let in: no figure counts without it. */
import type { Check } from '../support/benchmark.ts';
import { readCounter } from './counters.ts';
import type { BenchStack } from '../support/stack.ts';
import { explain } from './inbox.ts';
import type { InboxRow } from './inbox.ts';
import type { Answer } from './arrival.ts';
import type { Receivers } from './processes.ts';

const shown = 3;

export async function checkWebhooks(
  stack: BenchStack,
  { ours, worker }: Receivers,
  rows: readonly InboxRow[],
  accepted: ReadonlySet<string>,
  answers: readonly Answer[],
): Promise<Check[]> {
  const strangers = rows.filter(({ eventId }) => !accepted.has(eventId));
  const applied = rows.filter(({ status }) => status === 'applied').length;
  const counted = await readCounter(worker.url, 'durabill_webhooks_applied_total');
  const forged = answers.filter(({ arrival }) => arrival.kind === 'forged');
  const letIn = forged.filter(({ status }) => status !== 400);
  const refused = await readCounter(ours.url, 'stripe_webhook_total', 'outcome="bad_signature"');
  return [
    await checkLost(stack, rows, accepted),
    {
      name: 'none applied twice',
      ok: counted <= applied,
      detail: `${applied} rows applied, the worker counted ${counted}`,
    },
    {
      name: 'nothing forged let in',
      ok: letIn.length === 0 && strangers.length === 0 && refused === forged.length,
      detail:
        `${forged.length} forged, ${forged.length - letIn.length} answered 400, ` +
        `${refused} counted as such, ${strangers.length} rows of them in the inbox`,
    },
  ];
}

async function checkLost(
  stack: BenchStack,
  rows: readonly InboxRow[],
  accepted: ReadonlySet<string>,
): Promise<Check> {
  const name = 'nothing lost';
  const mine = rows.filter(({ eventId }) => accepted.has(eventId));
  const waiting = mine.filter(({ status }) => status !== 'applied');
  const missing = accepted.size - mine.length;
  if (missing === 0 && waiting.length === 0) {
    return { name, ok: true, detail: `all ${accepted.size} that were accepted are applied` };
  }
  const reasons = waiting.slice(0, shown).map(async (row) => await explain(stack, row));
  const counts = `${missing} not in the inbox, ${waiting.length} not applied`;
  return { name, ok: false, detail: [counts, ...(await Promise.all(reasons))].join('; ') };
}
