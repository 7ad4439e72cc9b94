/** The activities of `customer` and `catchUpWebhooks`. */
import { applyEvents } from './apply-events.ts';
import type { ApplyOutcome } from './apply-events.ts';
import { createCatchUpActivities } from './catch-up-events.ts';
import type { Dependencies } from './dependencies.ts';
import { withHeartbeat } from './heartbeat.ts';
import { layAsideEvent } from './lay-aside-event.ts';
import type { EventAside } from './lay-aside-event.ts';
import { createSweepActivities } from './sweep-events.ts';

export function createApplyActivities(deps: Dependencies) {
  return {
    applyEvents: async (order: { eventIds: string[] }): Promise<ApplyOutcome> =>
      await withHeartbeat(async (cancelled) => await applyEvents(deps, order, cancelled)),
  };
}

export function createWebhookActivities(deps: Dependencies) {
  return {
    layAsideEvent: async (order: EventAside): Promise<{ dead: boolean }> =>
      await layAsideEvent(deps, order),
    ...createCatchUpActivities(deps),
    ...createSweepActivities(deps),
  };
}
