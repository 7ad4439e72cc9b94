/**
 * Casting: cents are set aside, then the processing is started, and what is set aside belongs to it from
 * then on. Killed at any line, a reservation either has its processing or is given back by the repair.
 */
import { createHash, randomUUID } from 'node:crypto';
import { parseIdempotencyKey, reservationOf } from '../domain/casts.ts';
import type { Cast } from '../domain/casts.ts';
import { parseFiles } from '../domain/files.ts';
import { refuseOtherJob } from '../domain/processing.ts';
import type { ProcessingRequest, ProcessingStatus } from '../domain/processing.ts';
import type { Engine } from '../engine/engine.ts';
import { hasNotArrived } from '../engine/call.ts';
import { digestFiles } from '../platform/files-digest.ts';
import type { Processing, ProcessingHistory } from '../tables/processing-history.ts';
import { setAside } from './set-aside.ts';
import type { CastOrder, SetAsideDependencies } from './set-aside.ts';

export interface CastDependencies extends SetAsideDependencies {
  processings: Pick<ProcessingHistory, 'get'>;
  engine: Pick<Engine, 'startProcessing' | 'readStartedRequest'>;
}

export interface CastAnswer {
  processingId: string;
  status: ProcessingStatus;
  /** Set aside, and once it has ended what it cost. */
  costCents: number;
  outcome: 'started' | 'replayed' | 'outage';
}

const route = 'POST /v1/cast';

export async function castOnce(deps: CastDependencies, order: CastOrder): Promise<CastAnswer> {
  const { customerId } = order;
  const processingId = castId(customerId, order.idempotencyKey);
  const files = parseFiles(customerId, processingId, order.files);
  const asked = { customerId, filesDigest: digestFiles(files) };
  if (order.idempotencyKey !== undefined) {
    const before = await replay(deps, processingId, asked);
    if (before !== undefined) return before;
  }
  const cast = await setAside(deps, order, { processingId, files, digest: asked.filesDigest });
  return await start(deps, { processingId, customerId, files, cast }, asked);
}

/** Belongs to customer and route: the same key of another is another cast (GA13). */
function castId(customerId: string, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return `cast-${randomUUID().replaceAll('-', '')}`;
  const fact = JSON.stringify([customerId, route, parseIdempotencyKey(idempotencyKey)]);
  return `cast-${createHash('sha256').update(fact).digest('hex').slice(0, 32)}`;
}

type Asked = Parameters<typeof refuseOtherJob>[2];

/** The answer that was given before. While the tables are away Temporal knows the id, and starts it once. */
async function replay(
  { processings }: CastDependencies,
  processingId: string,
  asked: Asked,
): Promise<CastAnswer | undefined> {
  const row = await processings.get(processingId).catch(() => undefined);
  return row === undefined ? undefined : answerOf(row, asked);
}

function answerOf(row: Processing, asked: Asked): CastAnswer {
  const { processingId, status } = row;
  refuseOtherJob(processingId, row, asked);
  const costCents = row.costCents ?? (status === 'failed' ? 0 : (row.reservedCents ?? 0));
  return { processingId, status, costCents, outcome: 'replayed' };
}

/** Starts it, or finds it started. What certainly did not start gives its cents back at once. */
async function start(
  deps: CastDependencies,
  request: ProcessingRequest & { cast: Cast },
  asked: Asked,
): Promise<CastAnswer> {
  const { processingId, customerId, cast } = request;
  let started: boolean;
  try {
    ({ started } = await deps.engine.startProcessing(request));
  } catch (error) {
    if (hasNotArrived(error)) await giveBack(deps, request);
    throw error;
  }
  const told = { processingId, status: 'in_progress', costCents: cast.cents } as const;
  if (started) return { ...told, outcome: cast.outage === true ? 'outage' : 'started' };
  const row = await deps.processings.get(processingId).catch(() => undefined);
  const before = row === undefined ? await deps.engine.readStartedRequest(processingId) : undefined;
  // It ran by another reservation, which had ended when this one was made.
  const token = row?.castToken ?? before?.cast?.token;
  if (token !== undefined && token !== cast.token) await giveBack(deps, request);
  if (row !== undefined) return answerOf(row, asked);
  if (before !== undefined) {
    const { files } = before;
    refuseOtherJob(processingId, { customerId, filesDigest: digestFiles(files) }, asked);
  }
  return { ...told, outcome: 'replayed' };
}

async function giveBack(
  { spending, allowance, logger }: CastDependencies,
  { processingId, customerId, cast }: ProcessingRequest & { cast: Cast },
): Promise<void> {
  if (cast.outage === true) {
    allowance.giveBack(customerId, cast.cents);
    return;
  }
  await spending.leave(reservationOf(processingId, customerId, cast)).catch((err: unknown) => {
    logger.warn({ err, processingId }, 'a reservation could not be given back: the repair will');
  });
}
