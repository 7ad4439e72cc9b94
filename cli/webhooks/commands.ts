/** `durabill webhooks show | catch-up`: events from Stripe, and what became of them. */
import type { Command } from 'commander';
import { BillingError } from '../../domain/errors.ts';
import { dayOf } from '../../domain/period.ts';
import { daysKept } from '../../domain/stripe-events.ts';
import type { Context } from '../shell/context.ts';
import { leaf, noun, parseDay, parseKey } from '../shell/leaf.ts';
import { count, facts } from '../shell/output.ts';
import { note, performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';
import { linkTo } from '../process/show.ts';
import { showEvent } from './show.ts';

const dayMs = 86_400_000;

export function addWebhooks(program: Command): void {
  const webhooks = noun(program, 'webhooks', 'Events from Stripe, and what became of them.');
  leaf(webhooks, 'show <event>', 'Shows an event of the inbox; it is kept for 90 days.', [
    'durabill webhooks show evt_123',
    'durabill webhooks show evt_123 --payload',
  ])
    .option('--payload', 'show the event as it came, too (--json always has it)')
    .action(async (id: string, options: { payload?: boolean }, command: Command) => {
      await performWith(command, showEvent, () => ({
        eventId: parseKey(id, 'event'),
        withPayload: options.payload === true,
      }));
    });
  leaf(
    webhooks,
    'catch-up',
    'Asks Stripe for the events that it could not deliver, and applies those that are new.\n' +
      `The worker does so every hour; Stripe keeps events for ${daysKept} days.`,
    ['durabill webhooks catch-up', 'durabill webhooks catch-up --since 2026-11-01 --json'],
  )
    .option('--since <day>', 'YYYY-MM-DD; the last three days (UTC) when left out', parseDay)
    .action(async (options: { since?: string }, command: Command) => {
      await performWith(command, catchUp, () => options.since);
    });
}

/** WH2 */
async function catchUp(context: Context, since: string | undefined): Promise<Answer> {
  checkSince(context, since);
  const { follow } = await import('../shell/follow.ts');
  const engine = await context.engine();
  const workflowId = await engine.startCatchUp(since);
  const again = `durabill webhooks catch-up${since === undefined ? '' : ` --since ${since}`}`;
  await follow(engine, {
    workflowId,
    goesOn: `The catch-up goes on; this waits for it again: ${again}`,
    progress: async () => await Promise.resolve('asking Stripe for what it could not deliver'),
  });
  const outcome = await engine.readOutcome('catchUpWebhooks', workflowId);
  if ('failure' in outcome) {
    throw new BillingError('conflict', `the catch-up failed: ${outcome.failure}`);
  }
  const { seen, added, waiting, waitingIds } = outcome.result;
  return {
    json: { workflowId, since: since ?? null, seen, added, waiting, waitingIds },
    text: facts([
      ['undelivered', `${count(seen)} events, says Stripe`],
      ['new to us', `${count(added)}, now on their way`],
      ['waited here', sayWaiting(waiting, waitingIds)],
      ['workflow', workflowId],
      ['Temporal UI', linkTo(context, workflowId)],
    ]),
  };
}

/** WH2: received, and nobody had applied them. */
function sayWaiting(waiting: number, ids: readonly string[]): string {
  if (waiting === 0) return 'none';
  const more = waiting > ids.length ? `, and ${count(waiting - ids.length)} more` : '';
  return `${count(waiting)}, told to their lines again: ${ids.join(', ')}${more}`;
}

function checkSince(context: Context, since: string | undefined): void {
  if (since === undefined) return;
  const nowMs = context.now().getTime();
  const today = dayOf(nowMs);
  if (since > today) {
    throw new BillingError('invalid_request', `${since} has not come yet: today is ${today} (UTC)`);
  }
  const earliest = dayOf(nowMs - daysKept * dayMs);
  if (since < earliest)
    note(`Stripe keeps events for ${daysKept} days: none is older than ${earliest}`);
}
