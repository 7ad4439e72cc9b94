import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import type { LoggedRequest } from './activity.ts';
import { StripeError } from './errors.ts';
import { errorOf, hang, json } from './fault-answers.ts';
import type { Fault, FaultTarget } from './faults.ts';
import type { Answer } from './idempotency.ts';
import { fingerprintOf } from './idempotency.ts';
import type { Incoming, Outgoing, Pipeline } from './pipeline-types.ts';
import type { ApiCall, Route } from './router.ts';

export type Execution = { route: Route; call: ApiCall; target: FaultTarget; log: LoggedRequest };

/** The endpoint's part of a request: replay by idempotency key, or run once and save the answer. */
export async function execute(
  pipeline: Pipeline,
  incoming: Incoming,
  execution: Execution,
): Promise<Outgoing> {
  const { keys } = pipeline;
  const { target, log } = execution;
  // Stripe takes keys on POST; GET and DELETE are idempotent by themselves.
  const key = target.method === 'POST' ? target.idempotencyKey : undefined;
  if (key === undefined) {
    const ran = await runLocked(pipeline, incoming, execution, () => undefined);
    return await deliver(pipeline, incoming, ran);
  }
  const fingerprint = fingerprintOf(target.method, target.path, target.params);
  const saved = keys.begin(key, fingerprint);
  if (saved !== undefined) {
    log.replayed = true;
    const headers = { 'idempotent-replayed': 'true', 'original-request': saved.requestId };
    return { kind: 'answer', status: saved.status, body: saved.body, headers };
  }
  let ran: Ran;
  try {
    ran = await runLocked(pipeline, incoming, execution, (answer) => {
      keys.save(key, fingerprint, log.requestId, answer);
    });
  } finally {
    keys.end(key);
  }
  return await deliver(pipeline, incoming, ran);
}

/** What the endpoint did; without an answer the client left while it was made to hang. */
type Ran = { answer: Answer | undefined; fault: Fault | undefined };
type Save = (answer: Answer) => void;

/** Holds what only one call at a time may work on, for as long as the endpoint is at it. */
async function runLocked(
  pipeline: Pipeline,
  incoming: Incoming,
  execution: Execution,
  save: Save,
): Promise<Ran> {
  const lock = execution.route.lock?.(execution.call);
  if (lock === undefined) return await run(pipeline, incoming, execution, save);
  const { customer, eventName } = lock;
  try {
    if (!pipeline.activity.enter(customer, eventName)) throw lockTimeout();
    // Lets calls that arrived in the same turn meet the lock, as they would at Stripe.
    await setImmediate();
    return await run(pipeline, incoming, execution, save);
  } finally {
    pipeline.activity.leave(customer, eventName);
  }
}

async function run(
  pipeline: Pipeline,
  incoming: Incoming,
  execution: Execution,
  save: Save,
): Promise<Ran> {
  const fault = pipeline.faults.take('execution', execution.target);
  execution.log.fault = fault?.kind ?? null;
  const waitMs = pipeline.settings.latencyMs + (fault?.delayMs ?? 0);
  if (waitMs > 0) await delay(waitMs);
  if (fault?.kind === 'hang_before') {
    await hang(pipeline.activity, incoming);
    return { answer: undefined, fault };
  }
  const request = { id: execution.log.requestId, idempotency_key: execution.log.idempotencyKey };
  const answer = pipeline.store.transaction(() =>
    pipeline.during(request, () => applyOnce(execution, fault, save)),
  );
  pipeline.activity.changed();
  return { answer, fault };
}

/** Sends the answer, or loses it as a fault wants. The key and the lock are free by now. */
async function deliver(pipeline: Pipeline, incoming: Incoming, ran: Ran): Promise<Outgoing> {
  const { answer, fault } = ran;
  if (answer === undefined) return { kind: 'dropped' };
  if (fault?.kind === 'hang_after') return await hang(pipeline.activity, incoming);
  if (fault?.kind === 'drop_after') {
    incoming.destroy();
    return { kind: 'dropped' };
  }
  return { kind: 'answer', ...answer, headers: {} };
}

/** Runs the endpoint and saves its answer, in one transaction. */
function applyOnce(execution: Execution, fault: Fault | undefined, save: Save): Answer {
  try {
    if (fault?.kind === 'fail_before' || fault?.kind === 'error') throw errorOf(fault);
    const body = execution.route.handle(execution.call);
    if (fault?.kind === 'fail_after') throw errorOf(fault);
    const answer = { status: 200, body: JSON.stringify(body) };
    save(answer);
    return answer;
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    const { status, body } = json(error.status, error.body);
    if (error.saved) save({ status, body });
    return { status, body };
  }
}

function lockTimeout(): StripeError {
  const message =
    'This object cannot be accessed right now because another API request or Stripe process is currently accessing it. If you see this error intermittently, retry the request.';
  return new StripeError(429, message, { code: 'lock_timeout' });
}
