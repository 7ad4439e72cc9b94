/** What `customer` and `catchUpWebhooks` take, hand over, are told, and tell of their progress. */

/** Input of `customer`: a line of events, and what the run before handed over. */
export interface CustomerInput {
  line: string;
  waiting?: string[];
  /** Events settled lately, the oldest first. */
  settled?: string[];
  tally?: { applied: number; dead: number };
  /** Of the event at the head. */
  tries?: number;
  /** In a row, while Stripe or our tables are away. */
  pauses?: number;
}

/** Signal `stripeEvent`; `again` is a redrive. */
export interface EventArrival {
  eventId: string;
  again?: boolean;
}

/** Result and progress of `customer`. */
export interface CustomerProgress {
  waiting: number;
  applied: number;
  dead: number;
  /** Why the line waits, while it does. */
  pausedBy?: string;
}

/** Input of `catchUpWebhooks`; from the schedule it is empty: the last three days. */
export interface CatchUpInput {
  /** Day, UTC. */
  since?: string;
}

export interface CatchUpResult {
  /** Events that Stripe could not deliver. */
  seen: number;
  /** Of those, new to the inbox. */
  added: number;
  /** Received earlier and not applied: told to their lines again, and the first of them named. */
  waiting: number;
  waitingIds: string[];
}
