/** A customer's account as Stripe has it: subscriptions, payments, and events on their way. */
import { workflowIds } from '../../domain/ids.ts';
import { formatMoney } from '../../domain/money.ts';
import type { PaymentRow } from '../../tables/payments.ts';
import type { SubscriptionRow } from '../../tables/subscriptions.ts';
import type { Context } from '../shell/context.ts';
import { describeFailure } from '../shell/failures.ts';
import { count, state, table, time } from '../shell/output.ts';
import { note } from '../shell/perform.ts';

/** What is shown of payments and of changes. */
const lastPayments = 5;
const lastChanges = 5;

export interface Account {
  subscriptions: SubscriptionRow[];
  payments: PaymentRow[];
  /** Waiting in its line; null when nobody could say. */
  webhookEventsWaiting: number | null;
}

export async function findAccount(context: Context, customerId: string): Promise<Account> {
  const { subscriptions, payments } = await context.tables();
  const [held, paid, webhookEventsWaiting] = await Promise.all([
    subscriptions.ofCustomer(customerId),
    payments.ofCustomer(customerId, lastPayments),
    countWaiting(context, customerId),
  ]);
  return { subscriptions: held, payments: paid, webhookEventsWaiting };
}

/** The line's own word while it runs; one that has ended had nothing left to do. */
async function countWaiting(context: Context, customerId: string): Promise<number | null> {
  try {
    const engine = await context.engine();
    const workflowId = workflowIds.customer(customerId);
    if (!(await engine.isRunning(workflowId))) return 0;
    return (await engine.readProgress('customer', workflowId)).waiting;
  } catch (error) {
    note(`webhook events waiting: not known (${describeFailure(error).message})`);
    return null;
  }
}

export function describeAccount({ subscriptions, payments, webhookEventsWaiting }: Account) {
  const waiting = webhookEventsWaiting === null ? 'not known' : count(webhookEventsWaiting);
  return [
    `Webhook events waiting: ${waiting}`,
    subscriptions.length === 0 ? 'No subscription.' : drawSubscriptions(subscriptions),
    ...drawChanges(subscriptions),
    payments.length === 0 ? 'No payment yet.' : drawPayments(payments),
  ].join('\n\n');
}

function drawSubscriptions(subscriptions: readonly SubscriptionRow[]): string {
  const rows = subscriptions.map((row) => [
    row.subscriptionId,
    row.paused ? `${state(row.status)}, paused` : state(row.status),
    row.prices.join(', '),
    time(row.currentPeriodEnd),
    endOf(row),
  ]);
  const titles = ['Subscription', 'Status', 'Prices', 'Period ends (UTC)', 'Ends (UTC)'];
  return table(
    titles.map((title) => ({ title })),
    rows,
  );
}

function endOf(row: SubscriptionRow): string {
  if (row.canceledAt !== undefined && row.status === 'canceled') return time(row.canceledAt);
  if (row.cancelAt !== undefined) return time(row.cancelAt);
  return row.cancelAtPeriodEnd ? 'with its period' : '';
}

/** Newest first, over all subscriptions. */
function drawChanges(subscriptions: readonly SubscriptionRow[]): string[] {
  const changes = subscriptions.flatMap(({ subscriptionId, history }) =>
    Object.values(history).flatMap(({ at, changes: told }) =>
      told.map((change) => ({ at, subscriptionId, said: sayChange(change) })),
    ),
  );
  changes.sort((one, other) => other.at.localeCompare(one.at));
  const rows = changes
    .slice(0, lastChanges)
    .map(({ at, subscriptionId, said }) => [time(at), subscriptionId, said]);
  const columns = ['Changed (UTC)', 'Subscription', 'What'].map((title) => ({ title }));
  return rows.length === 0 ? [] : [table(columns, rows)];
}

/** `plan changed: price_a → price_b` */
function sayChange({ kind, ...details }: { kind: string; [name: string]: unknown }): string {
  const { from, to, at } = details;
  const said = kind.replaceAll('_', ' ');
  if (from !== undefined || to !== undefined) return `${said}: ${sayValue(from)} → ${sayValue(to)}`;
  return typeof at === 'string' ? `${said} for ${time(at)}` : said;
}

function sayValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map(String).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function drawPayments(payments: readonly PaymentRow[]): string {
  const rows = payments.map((row) => [
    row.paymentId,
    state(row.status),
    formatMoney(BigInt(row.amount), row.currency),
    time(row.stripeCreated),
    count(Object.keys(row.history).length),
    row.failureReason ?? '',
  ]);
  return table(
    [
      { title: 'Payment' },
      { title: 'Status' },
      { title: 'Amount', align: 'right' },
      { title: 'When (UTC)' },
      { title: 'Events', align: 'right' },
      { title: 'Reason' },
    ],
    rows,
  );
}
