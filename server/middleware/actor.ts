/** Who calls: a customer by its key, or an operator by the admin token (GA6). */
import type { Context, MiddlewareHandler } from 'hono';
import { isApiKeyInForce, isUseWorthWriting } from '../../domain/api-keys.ts';
import type { ApiKey } from '../../domain/api-keys.ts';
import { BillingError } from '../../domain/errors.ts';
import { hashApiKey } from '../../platform/api-keys.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ApiKeys } from '../../tables/api-keys.ts';
import { bearerOf, isBearer } from '../bearer.ts';
import type { KeyMemory } from '../key-memory.ts';
import type { RateLimit } from '../rate-limit.ts';
import { countRequest } from './rate-limited.ts';

type Actor = { kind: 'operator' } | { kind: 'customer'; customerId: string; apiKey: ApiKey };

/** For the type of Hono's context behind the door. */
export interface ActorEnv {
  Variables: { actor: Actor };
}

export interface DoorOptions {
  /** Without one nobody is an operator. */
  adminToken: string | undefined;
  apiKeys: Pick<ApiKeys, 'find' | 'touch'>;
  memory: KeyMemory;
  /** Of requests a minute and key. */
  limit: Pick<RateLimit, 'take'>;
  now: () => Date;
}

/** One guard for each kind of route. What is behind them is kept by nobody on the way. */
export interface Door {
  customers: MiddlewareHandler<ActorEnv>;
  /** Customers, whose request the route counts by itself, after the budget (GA3). */
  casters: MiddlewareHandler<ActorEnv>;
  operators: MiddlewareHandler<ActorEnv>;
  customersAndOperators: MiddlewareHandler<ActorEnv>;
}

type Role = 'customer' | 'operator';

export function createDoor(options: DoorOptions, logger: Logger): Door {
  const guard =
    (who: readonly Role[], isCounted = true): MiddlewareHandler<ActorEnv> =>
    async (ctx, next) => {
      const actor = await identify(options, logger, ctx.req.header('authorization'), who);
      if (actor === undefined) {
        ctx.header('WWW-Authenticate', 'Bearer');
        const what = who.includes('customer') ? 'key or token' : 'admin token';
        throw new BillingError('unauthorized', `the ${what} is missing or wrong`);
      }
      refuseWrongRole(actor, who);
      ctx.set('actor', actor);
      if (isCounted) await countRequest(ctx, actor, options.limit);
      await next();
      ctx.header('Cache-Control', 'no-store');
    };
  return {
    customers: guard(['customer']),
    casters: guard(['customer'], false),
    operators: guard(['operator']),
    customersAndOperators: guard(['customer', 'operator']),
  };
}

/** A key that only collects usage (`ingest`) opens none of these. */
function refuseWrongRole(actor: Actor, who: readonly Role[]): void {
  if (actor.kind === 'customer' && actor.apiKey.scope !== 'cast') {
    throw new BillingError('forbidden', `not with a key of scope ${actor.apiKey.scope}`);
  }
  if (who.includes(actor.kind)) return;
  const other = actor.kind === 'operator' ? 'the admin token' : 'a customer’s key';
  throw new BillingError('forbidden', `not with ${other}`);
}

async function identify(
  options: DoorOptions,
  logger: Logger,
  authorization: string | undefined,
  who: readonly Role[],
): Promise<Actor | undefined> {
  const { adminToken } = options;
  if (adminToken === undefined && !who.includes('customer')) {
    throw new BillingError('billing_disabled', 'no ADMIN_TOKEN is set');
  }
  const given = bearerOf(authorization);
  if (given === undefined) return undefined;
  if (adminToken !== undefined && isBearer(authorization, adminToken)) return { kind: 'operator' };
  const keyHash = hashApiKey(given);
  const apiKey = keyHash === undefined ? undefined : await findKey(options, logger, keyHash);
  if (apiKey === undefined) return undefined;
  return { kind: 'customer', customerId: apiKey.customerId, apiKey };
}

/** The table is asked each time; while it does not answer, what was verified lately is honoured (GA5). */
async function findKey(
  options: DoorOptions,
  logger: Logger,
  keyHash: string,
): Promise<ApiKey | undefined> {
  const { apiKeys, memory, now } = options;
  let apiKey: ApiKey | undefined;
  try {
    apiKey = await apiKeys.find(keyHash);
  } catch (cause) {
    const known = memory.recall(keyHash);
    if (known !== undefined && isApiKeyInForce(known, now())) return known;
    throw new BillingError('unavailable', 'keys cannot be checked now: try again', { cause });
  }
  if (apiKey === undefined) {
    memory.forget(keyHash);
    return undefined;
  }
  memory.remember(apiKey);
  writeUse(options, logger, apiKey);
  return apiKey;
}

/** The last use is written beside the answer: nobody waits for it, and a failure costs only the time shown. */
function writeUse({ apiKeys, now }: DoorOptions, logger: Logger, apiKey: ApiKey): void {
  if (!isUseWorthWriting(apiKey, now())) return;
  apiKeys.touch(apiKey.keyHash, now().toISOString()).catch((err: unknown) => {
    logger.warn({ err, prefix: apiKey.prefix }, 'the last use of a key could not be written');
  });
}

/** The customer that calls; behind a door that lets customers alone through. */
export function customerOf(ctx: Context<ActorEnv>): string {
  const actor = ctx.get('actor');
  if (actor.kind === 'customer') return actor.customerId;
  throw new Error('a route of customers let an operator through');
}
