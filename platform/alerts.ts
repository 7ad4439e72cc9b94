/**
 * Raises alerts (GA16): a log line, a metric and, when somebody is to be told outside, a row that is sent by a
 * workflow. Who raises one does something that matters more, so raising never fails: what goes wrong in it is
 * logged and counted.
 */
import { alertKinds, alertOf } from '../domain/alerts.ts';
import type { Alert, RaisedAlert } from '../domain/alerts.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export type RaiseAlert = (alert: RaisedAlert) => Promise<void>;

export interface AlertOptions {
  /** Whether there is a receiver; without one nothing is kept. */
  isSent: boolean;
  /** Keeps it; false when one of its kind is kept for that customer and that time. */
  keep: (alert: Alert) => Promise<boolean>;
  /** Tells the workflow that sends the alerts of a line. */
  announce: (line: string) => Promise<void>;
  logger: Logger;
  metrics: Pick<Metrics, 'alerts' | 'alertsSent'>;
  now: () => Date;
}

export function createRaiseAlert(options: AlertOptions): RaiseAlert {
  const { logger, metrics, now } = options;
  return async (raised) => {
    const { kind, customerId, facts, note } = raised;
    const { level, title } = alertKinds[kind];
    const about = { alert: kind, customerId, ...facts, ...(note === undefined ? {} : { note }) };
    logger[level](about, `ALERT: ${title}`);
    metrics.alerts.inc({ kind });
    if (!options.isSent) return;
    const alert = alertOf(raised, now());
    const isNew = await options.keep(alert).catch((err: unknown) => {
      metrics.alertsSent.inc({ outcome: 'not_kept' });
      logger.error({ err, alert: kind }, 'an alert could not be kept, so it is not sent');
      return false;
    });
    if (!isNew) return;
    // Whoever dies here, or finds Temporal away, leaves a row that the sweep finds.
    await options.announce(alert.line).catch((err: unknown) => {
      metrics.alertsSent.inc({ outcome: 'not_announced' });
      logger.warn({ err, alert: kind }, 'an alert is sent later: its sender could not be told');
    });
  };
}
