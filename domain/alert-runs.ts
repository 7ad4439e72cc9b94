/** What `sendAlerts` and `sweepAlerts` take, hand over, and tell of their progress. */

/** Input of `sendAlerts`: a line of alerts, and what the run before handed over. */
export interface SendAlertsInput {
  line: string;
  tally?: AlertTally;
  trouble?: AlertTrouble;
}

interface AlertTally {
  sent: number;
  exhausted: number;
}

/** Of the alert at the head, while the receiver does not take it. */
export interface AlertTrouble {
  alertId: string;
  tries: number;
  error: string;
}

/** Result and progress of `sendAlerts`. */
export interface SendAlertsProgress extends AlertTally {
  trouble?: AlertTrouble;
}

export interface SweepAlertsResult {
  /** Lines that held an alert which nobody was sending. */
  started: string[];
}
