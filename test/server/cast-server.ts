/**
 * Casts over real tables. The engine remembers what it was told to start and runs nothing; the test runs
 * the workflow's activities by hand, as far as it wants them to come.
 */
import { onTestFinished } from 'vitest';
import type { Dependencies } from '../../activities/dependencies.ts';
import { createProcessingActivities } from '../../activities/processing.ts';
import type { RaisedAlert } from '../../domain/alerts.ts';
import type { CastPrice } from '../../domain/budgets.ts';
import { BillingError } from '../../domain/errors.ts';
import type { ProcessingRequest } from '../../domain/processing.ts';
import { createOutageAllowance } from '../../operations/outage-allowance.ts';
import { createRefusals } from '../../operations/refusals.ts';
import { digestFiles } from '../../platform/files-digest.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Objects } from '../../platform/objects.ts';
import { createRateLimit } from '../../server/rate-limit.ts';
import type { TableStore } from '../../tables/dynamo.ts';
import { openTables } from '../../tables/open.ts';
import type { Tables } from '../../tables/open.ts';
import { createApi } from './api-server.ts';
import type { Api } from './api-support.ts';

type CastParts = Api['casts']['casts'];

interface Changes {
  price?: CastPrice;
  perMinute?: number;
  now?: () => Date;
  /** Temporal's time, where it is another than `now`. */
  wallClock?: () => Date;
  outageCasts?: number;
  objects?: Objects;
  parts?: (tables: Tables) => Partial<CastParts>;
  door?: (tables: Tables) => Partial<Api['door']>;
}

/** Whoever was refused is remembered to be for the whole test. */
const refusedForTheTestMs = 600_000;

const noStore = async (): Promise<never> =>
  await Promise.reject(new BillingError('unavailable', 'no object store in this test'));

export async function createCastApi(store: TableStore, changes: Changes = {}) {
  const now = changes.now ?? (() => new Date());
  const wallClock = changes.wallClock ?? now;
  const metrics = createMetrics();
  const logger = createLogger('server', 'silent');
  const tables = openTables({ ...store, now });
  const started = new Map<string, ProcessingRequest>();
  const alerts: RaisedAlert[] = [];
  const limit = createRateLimit({ perMinute: changes.perMinute ?? 100_000, metrics, logger });
  onTestFinished(limit.close);
  const { measureFiles, uploadUrl } = changes.objects ?? {
    measureFiles: noStore,
    uploadUrl: noStore,
  };
  const engine: CastParts['engine'] = {
    startProcessing: async (request) => {
      const { processingId } = request;
      const isNew = !started.has(processingId);
      if (isNew) started.set(processingId, request);
      return await Promise.resolve({ workflowId: processingId, started: isNew });
    },
    readStartedRequest: async (processingId) => await Promise.resolve(started.get(processingId)),
  };
  const parts: CastParts = {
    ...tables,
    engine,
    measureFiles,
    price: changes.price ?? { centsPerCast: 100, centsPerByte: '0' },
    refusals: createRefusals(refusedForTheTestMs),
    allowance: createOutageAllowance(changes.outageCasts ?? 0),
    raiseAlert: async (alert) => {
      await Promise.resolve(alerts.push(alert));
    },
    logger,
    now,
    wallClock,
    ...changes.parts?.(tables),
  };
  const api = await createApi(store, {
    now,
    limit,
    door: changes.door?.(tables) ?? {},
    casts: {
      casts: parts,
      runs: { ...tables, engine: { readProgress: noStore }, now },
      limit,
      metrics,
    },
    files: { objects: { uploadUrl } },
  });
  const activities = createProcessingActivities({
    ...tables,
    signals: {
      announceUsage: async () => {
        await Promise.resolve();
      },
      isProcessingRunning: async (id: string) => await Promise.resolve(started.has(id)),
    },
    metrics,
    logger,
    digestFiles,
    now,
    wallClock,
  } as unknown as Dependencies);
  /** Its workflow, from the first activity to the last. */
  const run = async (processingId: string, totalBytes = 0): Promise<void> => {
    const request = started.get(processingId);
    if (request === undefined) throw new Error(`${processingId} was not started`);
    await activities.beginProcessing(request);
    await activities.completeProcessing({ ...request, totalBytes });
  };
  const counter = async (customerId: string, period: string) =>
    await tables.spending.get(customerId, period);
  return { ...api, tables, started, alerts, metrics, counter, activities, engine, run };
}

export type CastApi = Awaited<ReturnType<typeof createCastApi>>;
