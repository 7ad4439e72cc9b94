/**
 * Sends one line of alerts to their receiver, the oldest first: a customer's, or those that are of no customer.
 * What waits is in the table; this remembers only how it fares with the first of them. An alert that the
 * receiver does not take for three days is given up, and the next one has its turn (GA16).
 */
import {
  continueAsNew,
  defineQuery,
  defineSignal,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { AlertTrouble, SendAlertsInput, SendAlertsProgress } from '../domain/alert-runs.ts';
import { alertWaitMs } from '../domain/alerts.ts';
import { queryNames, signalNames } from '../domain/temporal-names.ts';
import type { ProgressOf, SignalArgs } from '../engine/contract.ts';
import { alertActivities, tableActivities } from './activity-options.ts';

const alertRaised = defineSignal<SignalArgs<'sendAlerts', 'alertRaised'>>(signalNames.alertRaised);
const progressQuery = defineQuery<ProgressOf<'sendAlerts'>>(queryNames.progress);

export async function sendAlerts({
  line,
  ...before
}: SendAlertsInput): Promise<SendAlertsProgress> {
  const tally = before.tally ?? { sent: 0, exhausted: 0 };
  let trouble = before.trouble;
  let raised = 0;
  setHandler(alertRaised, () => {
    raised += 1;
  });
  const inTrouble = (): { trouble?: AlertTrouble } => (trouble === undefined ? {} : { trouble });
  const progress = (): SendAlertsProgress => ({ ...tally, ...inTrouble() });
  setHandler(progressQuery, progress);
  const { sendNextAlert } = alertActivities();

  for (;;) {
    if (workflowInfo().continueAsNewSuggested) {
      await continueAsNew<typeof sendAlerts>({ line, tally, ...inTrouble() });
    }
    const known = raised;
    const attempt = await sendNextAlert({ line });
    if (attempt.state === 'none') {
      // One that was raised while the line was being read may not have been seen.
      if (known === raised) return progress();
      continue;
    }
    if (attempt.state === 'sent') {
      tally.sent += 1;
      trouble = undefined;
      continue;
    }
    const { alertId, error, patienceMs, retryAfterMs } = attempt;
    const tries = (trouble?.alertId === alertId ? trouble.tries : 0) + 1;
    trouble = { alertId, tries, error };
    if (patienceMs > 0) {
      await sleep(Math.min(alertWaitMs(tries, retryAfterMs), patienceMs));
      continue;
    }
    await tableActivities.giveUpAlert({ line, alertId, tries, error });
    tally.exhausted += 1;
    trouble = undefined;
  }
}
