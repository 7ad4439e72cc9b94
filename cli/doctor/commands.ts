/** `durabill doctor`: what is reachable, what is missing, what to do. */
import type { Command } from 'commander';
import { Context } from '../shell/context.ts';
import {
  bounded,
  checkApi,
  checkBucket,
  checkDeadLetters,
  checkEndpoints,
  checkStripe,
  checkTables,
  checkWaitingEvents,
  examine,
} from './checks.ts';
import type { Check, Finding } from './checks.ts';
import { checkSchedules, checkSearchAttributes, checkTemporal, checkWorker } from './temporal.ts';
import { describeFailure } from '../shell/failures.ts';
import { leaf } from '../shell/leaf.ts';
import { state, table } from '../shell/output.ts';
import { perform } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

export function addDoctor(program: Command): void {
  leaf(program, 'doctor', 'Tells what is reachable, what is missing, and what to do.', [
    'durabill doctor',
    'durabill doctor --json',
  ]).action(async (_options: object, command: Command) => {
    await perform(command, consult);
  });
}

async function consult(): Promise<Answer> {
  let context: Context;
  try {
    context = await Context.open();
  } catch (error) {
    const { message } = describeFailure(error);
    return report([{ check: 'settings', state: 'down', detail: message }]);
  }
  try {
    return report(await checkAll(context));
  } finally {
    await context.close();
  }
}

async function checkAll(context: Context): Promise<Finding[]> {
  // Loading the SDKs takes seconds on a busy machine: that time is ours and not the servers'.
  await Promise.all([
    context.tables(),
    import('../../platform/stripe-catalog.ts'),
    import('../../platform/stripe-endpoints.ts'),
  ]);
  const { embedded } = context.settings;
  const detail = embedded === undefined ? 'from the environment' : `of ${embedded.dataDir}`;
  const independent: Check[] = [
    { check: 'tables', look: checkTables },
    { check: 'bucket', look: checkBucket },
    { check: 'Stripe', look: checkStripe },
    { check: 'webhook endpoints', look: checkEndpoints },
    { check: 'webhook events', look: checkWaitingEvents },
    { check: 'API', look: checkApi },
    { check: 'dead letters', look: checkDeadLetters },
  ];
  const [others, temporal] = await Promise.all([
    Promise.all(independent.map(async (check) => await bounded(context, check))),
    checkTemporalGroup(context),
  ]);
  return [{ check: 'settings', state: 'ok', detail }, ...others, ...temporal];
}

/** The others only say something when the server answers at all. */
async function checkTemporalGroup(context: Context): Promise<Finding[]> {
  const server = await examine(context, { check: 'Temporal', look: checkTemporal });
  const others: Check[] = [
    { check: 'search attributes', look: checkSearchAttributes },
    { check: 'worker', look: checkWorker },
    { check: 'schedules', look: checkSchedules },
  ];
  if (server.state === 'down') {
    const skipped = { state: 'skipped', detail: 'needs Temporal' } as const;
    return [server, ...others.map(({ check }) => ({ check, ...skipped }))];
  }
  return [
    server,
    ...(await Promise.all(others.map(async (check) => await examine(context, check)))),
  ];
}

function report(findings: readonly Finding[]): Answer {
  const down = findings.filter((finding) => finding.state === 'down');
  const rows = findings.map(({ check, state: stands, detail, advice }) => [
    check,
    state(stands),
    detail,
    advice ?? '',
  ]);
  const columns = ['Check', 'State', 'Detail', 'What to do'].map((title) => ({ title }));
  const listed = down.map(({ check }) => check).join(', ');
  return {
    json: { ok: down.length === 0, checks: findings },
    text: table(columns, rows),
    ...(down.length === 0 ? {} : { failed: `not in order: ${listed}` }),
  };
}
