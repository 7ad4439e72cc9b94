/** What a redrive needs of Temporal, with each of its calls bounded. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { announceEvent } from '../../engine/announce-event.ts';
import { announceUsage, startDay, startStorageBill } from '../../engine/starts.ts';
import type { RedriveDependencies } from './redrive.ts';

const pauseMs = 250;

export interface RedriveConnection {
  client: Client;
  taskQueue: string;
  /** For one call to Temporal. */
  callPatienceMs: number;
  /** For an event that was announced to be applied. */
  applyPatienceMs: number;
  /** Waits for the run that measures a day; false when it is running still. */
  awaitDay: (workflowId: string, order: { customerId: string; day: string }) => Promise<boolean>;
}

type OverTemporal = 'announce' | 'announceEvent' | 'measureDay' | 'startBill' | 'waitUntil';

export function connectRedrive({
  client,
  taskQueue,
  callPatienceMs,
  applyPatienceMs,
  awaitDay,
}: RedriveConnection): Pick<RedriveDependencies, OverTemporal> {
  const bounded = async <T>(call: () => Promise<T>): Promise<T> =>
    await client.withDeadline(Date.now() + callPatienceMs, call);
  return {
    announce: async (usage) => {
      await bounded(async () => await announceUsage(client, taskQueue, usage));
    },
    announceEvent: async (line, eventId) => {
      const again = { line, eventId, again: true };
      await bounded(async () => await announceEvent(client, taskQueue, again));
    },
    measureDay: async (order) => {
      const workflowId = await bounded(async () => await startDay(client, taskQueue, order));
      return await awaitDay(workflowId, order);
    },
    startBill: async (order) =>
      await bounded(async () => await startStorageBill(client, taskQueue, order)),
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
