/** How many connections a process may need at once, so that its pools hold them (FM15). */
import { connectionsPerChunk } from '../activities/process-chunk.ts';

/** What a worker does at the same time. */
export interface Concurrency {
  /** Slots of the queues that make several calls to the tables in one activity, local ones among them. */
  tableTasks: number;
  /** Slots of the queues that make one at a time. */
  singleTasks: number;
  /** Slots of the queue that moves files. */
  fileTasks: number;
  /** Slots of the queue that lists and removes objects. */
  listingTasks: number;
  /** Listings of objects, and rows written beside them, over the whole process. */
  listings: number;
}

/** Days of a bill that are marked at once, the most that one table activity asks for. */
const tableCallsPerActivity = 10;
/** Health, and what an activity does beside its main work. */
const spare = 10;

/**
 * A file's read keeps its connection while its parts wait for theirs: with a pool that is too small all of
 * them wait for each other. Calls to the tables hold nothing, but one that waits for 3 s is given up.
 */
export function poolSizes(of: Concurrency): { s3: number; dynamoDb: number } {
  const single = of.singleTasks + of.fileTasks + of.listingTasks;
  return {
    s3: of.fileTasks * connectionsPerChunk + of.listingTasks + of.listings + spare,
    dynamoDb: of.tableTasks * tableCallsPerActivity + single + of.listings + spare,
  };
}
