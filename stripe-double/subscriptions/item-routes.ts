import { z } from 'zod';
import type { Account } from '../account/account.ts';
import { pageParams, toPage } from '../core/list.ts';
import { expand, parseParams, text } from '../core/params.ts';
import { existing } from '../core/reading.ts';
import type { Route } from '../core/router.ts';
import { renderItems } from './view.ts';

const listParams = z.strictObject({ ...pageParams, expand, subscription: text });

/** Subscription items (https://docs.stripe.com/api/subscription_items): listed only. */
export function subscriptionItemRoutes(account: Account): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/subscription_items',
      handle: ({ params, path }) => {
        const { subscription: id, ...page } = parseParams(listParams, params);
        const subscription = existing(account.subscriptions, 'subscription', id);
        return toPage(renderItems(account, subscription), page, path);
      },
    },
  ];
}
