/** The doctor's checks of tables, bucket, Stripe and dead letters; each says what to do. */
import { publicUrlOf } from '../shell/context.ts';
import { isLive } from '../../platform/config.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';

export interface Finding {
  check: string;
  /** `warning` is worth a look and does not fail the doctor. */
  state: 'ok' | 'warning' | 'down' | 'skipped';
  detail: string;
  advice?: string;
}

export interface Check {
  check: string;
  look: (context: Context) => Promise<Omit<Finding, 'check'>>;
}

/** What is down refuses at once; what does not answer may be a machine that is busy with other things. */
export const patienceMs = 15_000;
const mostLetters = 1000;
const setUp = 'durabill setup';

/** A check's finding; one that fails is down. */
export async function examine(context: Context, { check, look }: Check): Promise<Finding> {
  try {
    return { check, ...(await look(context)) };
  } catch (error) {
    return { check, state: 'down', detail: describeFailure(error).message };
  }
}

/** The same for what has no deadline of its own: one that does not answer in time is down. */
export async function bounded(context: Context, check: Check): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const detail = `no answer within ${patienceMs / 1000} s`;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => {
      resolve({ check: check.check, state: 'down', detail });
    }, patienceMs);
  });
  try {
    return await Promise.race([examine(context, check), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The embedded stack tells where its API is. */
export async function checkApi(context: Context): Promise<Omit<Finding, 'check'>> {
  const { embedded } = context.settings;
  if (embedded === undefined) return { state: 'skipped', detail: 'its address is not known here' };
  const { status } = await fetch(`${embedded.api}/healthz`, {
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => ({ status: undefined }));
  if (status === 200) return { state: 'ok', detail: embedded.api };
  const detail = `${embedded.api} ${status === undefined ? 'does not answer' : `answers ${status}`}`;
  return { state: 'down', detail, advice: `${embedded.dataDir}/logs/server.log says why` };
}

export async function checkTables(context: Context): Promise<Omit<Finding, 'check'>> {
  const [{ DescribeTableCommand, ResourceNotFoundException }, { tableSchemas }, client] =
    await Promise.all([
      import('@aws-sdk/client-dynamodb'),
      import('../../tables/schema.ts'),
      context.dynamoDb(),
    ]);
  const names = Object.values(tableSchemas).map(
    ({ name }) => `${context.config.TABLE_PREFIX}${name}`,
  );
  const missing: string[] = [];
  const looks = names.map(async (TableName) => {
    try {
      await client.send(new DescribeTableCommand({ TableName }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      missing.push(TableName);
    }
  });
  await Promise.all(looks);
  if (missing.length === 0) return { state: 'ok', detail: `all ${names.length} are there` };
  return { state: 'down', detail: `missing: ${missing.toSorted().join(', ')}`, advice: setUp };
}

export async function checkBucket(context: Context): Promise<Omit<Finding, 'check'>> {
  const { isBucketPresent } = await import('../../platform/bucket.ts');
  const { BUCKET } = context.config;
  if (await isBucketPresent(await context.s3(), BUCKET)) return { state: 'ok', detail: BUCKET };
  return { state: 'down', detail: `${BUCKET} is missing`, advice: setUp };
}

export async function checkStripe(context: Context): Promise<Omit<Finding, 'check'>> {
  const stripe = await context.stripe();
  if (stripe === undefined) {
    return {
      state: 'warning',
      detail: 'billing is off: usage is recorded and waits',
      advice: 'set STRIPE_SECRET_KEY or STRIPE_SECRET_ID',
    };
  }
  const { inspectCatalog } = await import('../../platform/stripe-catalog.ts');
  const troubles = (await inspectCatalog(stripe)).filter(({ outcome }) => outcome !== 'present');
  if (troubles.length === 0) {
    const live = isLive(context.config);
    return {
      state: 'ok',
      detail: `${live ? 'live' : 'test'} mode; the catalog is as it should be`,
    };
  }
  const listed = troubles.map(
    ({ part, name, outcome, detail }) =>
      `${part} ${name} ${outcome}${detail === undefined ? '' : ` (${detail})`}`,
  );
  const missing = troubles.some(({ outcome }) => outcome === 'missing');
  const advice = missing ? setUp : 'mend it at Stripe, or change domain/catalog.ts';
  return { state: 'down', detail: listed.join('; '), advice };
}

export async function checkDeadLetters(context: Context): Promise<Omit<Finding, 'check'>> {
  const { deadLetters } = await context.tables();
  let open = 0;
  let seen = 0;
  for await (const letter of deadLetters.list(undefined)) {
    if (letter.status === 'open') open += 1;
    seen += 1;
    if (seen >= mostLetters) break;
  }
  if (open === 0) return { state: 'ok', detail: 'none is open' };
  const detail = `${seen >= mostLetters ? 'at least ' : ''}${open} open`;
  return { state: 'warning', detail, advice: 'durabill dead-letters list' };
}

/** WH13: an event that nobody asked for never comes, and nobody hears of it. */
export async function checkEndpoints(context: Context): Promise<Omit<Finding, 'check'>> {
  const stripe = await context.stripe();
  if (stripe === undefined) return { state: 'skipped', detail: 'billing is off' };
  const { inspectEndpoints } = await import('../../platform/stripe-endpoints.ts');
  const problems = await inspectEndpoints(stripe, publicUrlOf(context));
  if (problems.length === 0) return { state: 'ok', detail: 'Stripe sends all that we ask for' };
  return {
    state: 'warning',
    detail: problems.map(({ detail }) => detail).join('; '),
    advice: problems.map(({ advice }) => advice).join('; '),
  };
}

/** Longer than any outage of minutes: a line that waits knows why, or there is none. */
const waitsTooLongMs = 10 * 60_000;
const mostWaiting = 1000;

/** WH2: answered with 200, and not applied by anybody yet. */
export async function checkWaitingEvents(context: Context): Promise<Omit<Finding, 'check'>> {
  const { webhookEvents } = await context.tables();
  const since = new Date(context.now().getTime() - waitsTooLongMs).toISOString();
  const late: string[] = [];
  for await (const event of webhookEvents.waiting()) {
    // One that cannot be read is the next sweep's to lay aside.
    if ('problem' in event || event.receivedAt < since) late.push(event.eventId);
    if (late.length >= mostWaiting) break;
  }
  if (late.length === 0) return { state: 'ok', detail: 'none waits for long' };
  const most = late.length >= mostWaiting ? 'at least ' : '';
  return {
    state: 'warning',
    detail: `${most}${late.length} received over 10 minutes ago and not applied, such as ${late[0]}`,
    advice: 'durabill webhooks catch-up tells their lines again; customers show ID says what waits',
  };
}
