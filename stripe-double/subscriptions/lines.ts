import type { Account } from '../account/account.ts';
import { formatDecimal } from '../core/decimal.ts';
import { newId } from '../core/ids.ts';
import type { Line } from '../invoices/schema.ts';
import { usageBetween } from '../meter-events/usage.ts';
import { amountOf, toUnits } from '../prices/amounts.ts';
import type { Price } from '../prices/schema.ts';
import type { Subscription, SubscriptionItem } from './schema.ts';

type Period = { start: number; end: number };

/** Licensed items, in advance for a period; quantities as they are now, nothing prorated. */
export function licensedLines(
  account: Account,
  subscription: Subscription,
  period: Period,
): Line[] {
  return subscription.items.flatMap((item) => {
    const price = account.prices.get(item.price);
    if (price === undefined || item.quantity === null) return [];
    return [toLine(account, item, price, period, toUnits(item.quantity))];
  });
}

/** Metered items, in arrears: what the meter counted in the period, the item's price for all of it. */
export function meteredLines(
  account: Account,
  subscription: Subscription,
  period: Period,
  visibleUntilMs?: number,
): Line[] {
  return subscription.items.flatMap((item) => {
    const price = account.prices.get(item.price);
    const meter = price?.recurring?.meter ?? null;
    if (price === undefined || meter === null) return [];
    const units = usageBetween(account, meter, subscription.customer, period, visibleUntilMs);
    return [toLine(account, item, price, period, units)];
  });
}

function toLine(
  account: Account,
  item: SubscriptionItem,
  price: Price,
  period: Period,
  units: bigint,
): Line {
  const name = account.products.get(price.product)?.name ?? price.product;
  const quantity = formatDecimal(units);
  return {
    id: newId('il', 24),
    amount: amountOf(price, units),
    currency: price.currency,
    description: `${quantity} × ${name}`,
    metadata: {},
    period,
    price: price.id,
    quantity,
    unitAmount: price.unit_amount_decimal,
    invoiceItem: null,
    subscriptionItem: item.id,
  };
}
