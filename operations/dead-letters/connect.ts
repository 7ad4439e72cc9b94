/** What a redrive asks of the engine, and how long it waits for what it has begun. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import type { RedriveDependencies } from './redrive.ts';
import type { DayOrder } from './storage.ts';

const pauseMs = 250;

interface Waiting {
  /** For an event that was announced to be applied. */
  applyPatienceMs: number;
  /** Waits for the run that measures a day; false when it is running still. */
  awaitDay: (workflowId: string, order: DayOrder) => Promise<boolean>;
}

type OverTemporal = 'announce' | 'announceEvent' | 'measureDay' | 'startBill' | 'waitUntil';

export function connectRedrive(
  engine: Pick<Engine, 'announceUsage' | 'announceEvent' | 'startDay' | 'startBill'>,
  { applyPatienceMs, awaitDay }: Waiting,
): Pick<RedriveDependencies, OverTemporal> {
  return {
    announce: engine.announceUsage,
    announceEvent: async (line, eventId) => {
      await engine.announceEvent(line, eventId, true);
    },
    measureDay: async (order) => await awaitDay(await engine.startDay(order), order),
    startBill: engine.startBill,
    waitUntil: async (isOver) => await waitUntil(isOver, applyPatienceMs),
  };
}

/** Asks again and again, once at least; false when patience ended first. */
async function waitUntil(isOver: () => Promise<boolean>, patienceMs: number): Promise<boolean> {
  const untilMs = Date.now() + patienceMs;
  while (Date.now() < untilMs) {
    if (await isOver()) return true;
    await delay(pauseMs);
  }
  return await isOver();
}
