import type { Answer as AnswerTo, Posted } from '../support/load.ts';

/** An event that is sent. */
export interface Arrival extends Posted {
  kind: 'new' | 'duplicate' | 'forged';
  eventId: string;
}

export type Answer = AnswerTo<Arrival>;
