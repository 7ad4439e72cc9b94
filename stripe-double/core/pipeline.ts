import { setTimeout as delay } from 'node:timers/promises';
import type { LoggedRequest } from './activity.ts';
import { apiVersion } from './api-version.ts';
import { checkSecretKey } from './authentication.ts';
import { StripeError } from './errors.ts';
import { execute } from './execution.ts';
import { answerOf, applyEdgeFault } from './fault-answers.ts';
import { parseForm } from './form.ts';
import { newId } from './ids.ts';
import type { Incoming, Outgoing, Pipeline } from './pipeline-types.ts';

/**
 * One request to Stripe's API, in Stripe's order: key, route, rate limit, (edge faults), idempotency
 * key, lock, endpoint. Nothing here changes state but `execute`.
 */
export async function handleApiRequest(pipeline: Pipeline, incoming: Incoming): Promise<Outgoing> {
  const { activity, clock } = pipeline;
  const startedMs = clock.realNowMs();
  const log: LoggedRequest = {
    requestId: newId('req'),
    atMs: clock.nowMs(),
    method: incoming.method,
    path: incoming.path,
    idempotencyKey: incoming.header('idempotency-key') ?? null,
    status: null,
    fault: null,
    replayed: false,
    ms: null,
  };
  activity.started(log);
  try {
    const outgoing = await handle(pipeline, incoming, log);
    if (outgoing.kind === 'dropped') return outgoing;
    log.status = outgoing.status;
    return { ...outgoing, headers: { ...commonHeaders(incoming, log), ...outgoing.headers } };
  } finally {
    log.ms = clock.realNowMs() - startedMs;
    activity.ended();
  }
}

async function handle(
  pipeline: Pipeline,
  incoming: Incoming,
  log: LoggedRequest,
): Promise<Outgoing> {
  try {
    checkSecretKey(incoming.header('authorization'), pipeline.secretKeys);
    const { method, path } = incoming;
    const params = parseForm(method === 'POST' ? await incoming.readBody() : incoming.query);
    const matched = pipeline.findRoute(method, path);
    if (matched === undefined) throw unknownRoute(method, path);
    if (!pipeline.limiter.allows(path, pipeline.clock.realNowMs()))
      return tooManyRequests(pipeline);
    const target = { method, path, params, idempotencyKey: log.idempotencyKey ?? undefined };
    const fault = pipeline.faults.take('edge', target);
    if (fault !== undefined) {
      log.fault = fault.kind;
      if (fault.delayMs !== undefined) await delay(fault.delayMs);
      return applyEdgeFault(fault, incoming);
    }
    const call = { path, pathIds: matched.pathIds, params };
    return await execute(pipeline, incoming, { route: matched.route, call, target, log });
  } catch (error) {
    return answerOf(error);
  }
}

function commonHeaders(incoming: Incoming, log: LoggedRequest): Record<string, string> {
  return {
    'content-type': 'application/json',
    'request-id': log.requestId,
    'stripe-version': incoming.header('stripe-version') ?? apiVersion,
    ...(log.idempotencyKey === null ? {} : { 'idempotency-key': log.idempotencyKey }),
  };
}

function unknownRoute(method: string, path: string): StripeError {
  const message = `Unrecognized request URL (${method}: ${path}). The offline Stripe double does not imitate it, or Stripe has no such route.`;
  return new StripeError(404, message);
}

function tooManyRequests(pipeline: Pipeline): Outgoing {
  const { retryAfterSeconds } = pipeline.limiter.limits;
  const message = 'Request rate limit exceeded. Learn more about rate limits at /docs/rate-limits.';
  const answer = answerOf(new StripeError(429, message, { code: 'rate_limit' }));
  if (retryAfterSeconds === null) return answer;
  return { ...answer, headers: { 'retry-after': String(retryAfterSeconds) } };
}
