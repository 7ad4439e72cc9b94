/** The activities' dependencies on real servers, with what a test wants to see or change. */
import type { Dependencies } from '../../activities/dependencies.ts';
import { gzipProcessor } from '../../activities/processor.ts';
import type { RaisedAlert } from '../../domain/alerts.ts';
import type { UsageSettled } from '../../domain/usage.ts';
import { digestFiles } from '../../platform/files-digest.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { Services } from './services.ts';

export interface Told {
  announced: string[];
  swept: number[];
  settled: UsageSettled[];
  events: string[];
  alerts: RaisedAlert[];
  senders: string[];
}

/** `told` fills with what the activities said to workflows. */
export function createTestDependencies(
  services: Services,
  changes: Partial<Dependencies> = {},
): { deps: Dependencies; told: Told } {
  const told: Told = { announced: [], swept: [], settled: [], events: [], alerts: [], senders: [] };
  const deps: Dependencies = {
    ...services,
    bucket: services.config.BUCKET,
    signals: {
      announceUsage: async ({ identifier }) => {
        await Promise.resolve(told.announced.push(identifier));
      },
      requestSweep: async (shard) => {
        await Promise.resolve(told.swept.push(shard));
      },
      announceEvent: async (_line, eventId) => {
        await Promise.resolve(told.events.push(eventId));
      },
      isProcessingRunning: async () => await Promise.resolve(false),
      isBillRunning: async () => await Promise.resolve(false),
      tellSource: async (_source, settled) => {
        await Promise.resolve(told.settled.push(settled));
      },
      startAlerts: async (line) => {
        told.senders.push(line);
        return await Promise.resolve(line);
      },
    },
    planDefault: 'free',
    processor: gzipProcessor,
    digestFiles,
    listingsAtOnce: 10,
    averageOver: 'recorded-days',
    raiseAlert: async (alert) => {
      await Promise.resolve(told.alerts.push(alert));
    },
    alertReceiver: undefined,
    logger: createLogger('test', 'silent'),
    metrics: createMetrics(),
    now: () => new Date(),
    wallClock: changes.now ?? (() => new Date()),
    ...changes,
  };
  return { deps, told };
}
