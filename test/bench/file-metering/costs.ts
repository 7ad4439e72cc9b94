/** What one job costs: events, Temporal actions, CPU. */
import { addActions, totalActions } from '../support/actions.ts';
import type { ActionCount } from '../support/actions.ts';
import type { Figure } from '../support/benchmark.ts';
import { actionsOf, listClosed } from '../support/executions.ts';
import type { BenchStack } from '../support/stack.ts';

/** Histories fetched to count the actions of one job, which is the same for all. */
const sampledJobs = 20;

const kinds: Record<keyof ActionCount, string> = {
  workflows: 'workflow starts',
  activities: 'activities and their retries',
  signals: 'signals',
  timers: 'timers',
  children: 'child workflows',
  localActivities: 'tasks with local activities',
  searchAttributes: 'search attributes set',
};

/** Of the jobs started since then, each with its share of the deliveries' workflows. */
export async function measureTemporalCost(
  { temporal }: BenchStack,
  sinceMs: number,
  jobs: number,
): Promise<Figure[]> {
  const processings = await listClosed(temporal, 'processFiles', sinceMs);
  const deliveries = await listClosed(temporal, 'deliverUsage', sinceMs);
  const events = (of: readonly { events: number }[]): number =>
    of.reduce((sum, execution) => sum + execution.events, 0) / jobs;
  const sample = processings.slice(0, sampledJobs);
  const ofJobs = addActions(await actionsOf(temporal, sample));
  const ofDeliveries = addActions(await actionsOf(temporal, deliveries));
  const perJob = (count: (actions: ActionCount) => number): number =>
    count(ofJobs) / sample.length + count(ofDeliveries) / jobs;
  const figure = (name: string, value: number): Figure => ({ name, value, unit: 'count' });
  return [
    figure('events in the history of a job', events(processings)),
    figure('events in deliverUsage, per job', events(deliveries)),
    figure('runs of deliverUsage in all', deliveries.length),
    figure('Temporal actions per job', perJob(totalActions)),
    ...(Object.keys(kinds) as (keyof ActionCount)[])
      .map((kind) =>
        figure(
          `  ${kinds[kind]}`,
          perJob((actions) => actions[kind]),
        ),
      )
      .filter(({ value }) => value > 0),
  ];
}

/** Holds on a busy machine too: others take a process's time, but little of the CPU that it needs. */
export function describeCpu(
  jobs: number,
  cpuSeconds: Record<string, number>,
  emptySeconds: Record<string, number>,
): Figure[] {
  return Object.entries(cpuSeconds).map(([name, seconds]) => {
    const empty = emptySeconds[name];
    const beside =
      empty === undefined
        ? {}
        : { beside: { name: 'for an empty activity', value: (empty * 1000) / jobs } };
    return {
      name: `CPU of ${name}, per job`,
      value: (seconds * 1000) / jobs,
      unit: 'ms',
      ...beside,
    };
  });
}
