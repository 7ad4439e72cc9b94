/** The activities of `sendAlerts` and `sweepAlerts` (GA16). */
import { alertBody, alertPatienceMs, readAnswer } from '../domain/alerts.ts';
import type { Alert } from '../domain/alerts.ts';
import type { SweepAlertsResult } from '../domain/alert-runs.ts';
import type { Dependencies } from './dependencies.ts';

/** Whoever kept an alert announces it at once: what waits for longer was forgotten, or its line is at it. */
const forgottenMs = 60_000;

/** What became of the first alert of a line. A failure is an answer: when to try again is the workflow's. */
export type AlertAttempt =
  | { state: 'none' }
  | { state: 'sent' }
  | {
      state: 'failed';
      alertId: string;
      error: string;
      /** How long it may still be tried; 0 when this was its last try. */
      patienceMs: number;
      /** The receiver's own word on when to come again. */
      retryAfterMs?: number;
    };

export function createAlertActivities(deps: Dependencies) {
  /** One POST at most. Dying after it is a second one with the same id, by which a receiver knows it. */
  async function sendNextAlert({ line }: { line: string }): Promise<AlertAttempt> {
    const alert = await deps.alerts.first(line);
    if (alert === undefined) return { state: 'none' };
    const { alertId } = alert;
    const failure = await post(deps, alert);
    if (failure === undefined) {
      await deps.alerts.settle({ line, alertId }, { status: 'sent' });
      deps.metrics.alertsSent.inc({ outcome: 'sent' });
      return { state: 'sent' };
    }
    const { error, isFinal = false, ...asked } = failure;
    deps.metrics.alertsSent.inc({ outcome: 'failed' });
    deps.logger.warn({ alertId, reason: error }, 'an alert was not taken this time');
    const patienceMs = isFinal ? 0 : alertPatienceMs(alert, deps.now());
    return { state: 'failed', alertId, error, patienceMs, ...asked };
  }

  /** No dead letter: a receiver that is gone would fill that list (GA16). Told first, then settled. */
  async function giveUpAlert(order: {
    line: string;
    alertId: string;
    tries: number;
    error: string;
  }): Promise<void> {
    const { line, alertId, tries, error } = order;
    deps.logger.error({ line, alertId, tries, reason: error }, 'an alert was given up');
    const settled = await deps.alerts.settle({ line, alertId }, { status: 'exhausted', error });
    if (settled) deps.metrics.alertsSent.inc({ outcome: 'exhausted' });
  }

  /** Starts the senders of what was kept and that nobody announced; one that runs stays as it is. */
  async function startForgottenAlerts(): Promise<SweepAlertsResult> {
    const until = new Date(deps.now().getTime() - forgottenMs);
    const started = await deps.alerts.linesWaiting(until);
    for (const line of started) await deps.signals.startAlerts(line);
    return { started };
  }

  return { giveUpAlert, startForgottenAlerts, sendNextAlert };
}

interface PostFailure {
  error: string;
  /** The receiver wants no more of it. */
  isFinal?: boolean;
  retryAfterMs?: number;
}

async function post(deps: Dependencies, alert: Alert): Promise<PostFailure | undefined> {
  if (deps.alertReceiver === undefined) return { error: 'ALERT_WEBHOOK_URL is not set' };
  try {
    const message = { id: alert.alertId, body: alertBody(alert) };
    const { status, ...asked } = await deps.alertReceiver.post(message);
    const answer = readAnswer(status);
    if (answer === 'taken') return undefined;
    return { error: `the receiver answered ${status}`, isFinal: answer === 'gone', ...asked };
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'an unknown error' };
  }
}
