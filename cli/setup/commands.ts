/** `durabill setup`: makes bucket, tables, search attributes and Stripe's catalog; twice is as once. */
import type { Command } from 'commander';
import { publicUrlOf } from '../shell/context.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { leaf } from '../shell/leaf.ts';
import { state, table } from '../shell/output.ts';
import { note, nothing, performWith } from '../shell/perform.ts';
import type { Answer } from '../shell/perform.ts';

interface SetupLine {
  part: string;
  name: string;
  outcome: 'created' | 'present' | 'differs' | 'missing' | 'failed' | 'skipped' | 'by hand';
  detail?: string;
}

export function addSetup(program: Command): void {
  leaf(
    program,
    'setup',
    'Creates the bucket, tables, search attributes and the Stripe catalog that are missing.\n' +
      'Running it again changes nothing; what is there but differs is reported, never changed.',
    ['durabill setup', 'durabill setup --json'],
  ).action(async (_options: object, command: Command) => {
    await performWith(command, setUp, nothing);
  });
}

/** Each part by itself: one that fails does not keep the others from being made. */
async function setUp(context: Context): Promise<Answer> {
  const { BUCKET, TABLE_PREFIX, TEMPORAL_NAMESPACE } = context.config;
  const parts = await Promise.all([
    attempt('bucket', BUCKET, async () => await setUpBucket(context)),
    attempt('tables', `${TABLE_PREFIX}*`, async () => await setUpTables(context)),
    attempt(
      'search attributes',
      `namespace ${TEMPORAL_NAMESPACE}`,
      async () => await setUpTemporal(context),
    ),
    attempt('stripe', 'catalog', async () => await setUpStripe(context)),
    attempt('webhook endpoint', 'Stripe', async () => await lookAtEndpoints(context)),
  ]);
  const lines = parts.flat();
  const rows = lines.map((line) => [line.part, line.name, state(line.outcome), line.detail ?? '']);
  const titles = ['Part', 'Name', 'Outcome', 'Detail'].map((title) => ({ title }));
  const troubles = lines.filter(
    ({ outcome }) => outcome === 'failed' || outcome === 'differs' || outcome === 'missing',
  );
  const listed = troubles.map(
    ({ part, name, outcome, detail }) => `  ${part} ${name} ${outcome}: ${detail ?? ''}`,
  );
  return {
    json: { ok: troubles.length === 0, items: lines },
    text: table(titles, rows),
    ...(troubles.length === 0 ? {} : { failed: `setup is not complete:\n${listed.join('\n')}` }),
  };
}

async function attempt(
  part: string,
  name: string,
  make: () => Promise<SetupLine[]>,
): Promise<SetupLine[]> {
  try {
    return await make();
  } catch (error) {
    return [{ part, name, outcome: 'failed', detail: describeFailure(error).message }];
  }
}

async function setUpBucket(context: Context): Promise<SetupLine[]> {
  const { ensureBucket } = await import('../../platform/bucket.ts');
  const outcome = await ensureBucket(await context.s3(), context.config);
  return [{ part: 'bucket', name: context.config.BUCKET, outcome }];
}

async function setUpTables(context: Context): Promise<SetupLine[]> {
  const { createTables } = await import('../../tables/create.ts');
  const results = await createTables(await context.dynamoDb(), context.config.TABLE_PREFIX);
  return results.map(({ table: name, outcome }) => ({ part: 'table', name, outcome }));
}

async function setUpTemporal(context: Context): Promise<SetupLine[]> {
  const { ensureSearchAttributes } = await import('../../platform/temporal-setup.ts');
  const results = await ensureSearchAttributes(await context.temporal());
  return results.map((result) => ({ part: 'search attribute', ...result }));
}

async function setUpStripe(context: Context): Promise<SetupLine[]> {
  const stripe = await context.stripe();
  if (stripe === undefined) {
    const detail = 'billing is off: set STRIPE_SECRET_KEY or STRIPE_SECRET_ID to make it';
    note(`Stripe's catalog is skipped: ${detail}`);
    return [{ part: 'stripe', name: 'catalog', outcome: 'skipped', detail }];
  }
  const { ensureCatalog } = await import('../../platform/stripe-catalog.ts');
  return await ensureCatalog(stripe);
}

/** WH13: said and not failed, for an endpoint is made when the server has an address. */
async function lookAtEndpoints(context: Context): Promise<SetupLine[]> {
  const stripe = await context.stripe();
  if (stripe === undefined) return [];
  const { inspectEndpoints } = await import('../../platform/stripe-endpoints.ts');
  const problems = await inspectEndpoints(stripe, publicUrlOf(context));
  const about = { part: 'webhook endpoint', name: 'Stripe' };
  if (problems.length === 0) return [{ ...about, outcome: 'present' }];
  return problems.map(({ detail, advice }) => ({
    ...about,
    outcome: 'by hand',
    detail: `${detail}: ${advice}`,
  }));
}
