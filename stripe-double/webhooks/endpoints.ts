import type { Account } from '../account/account.ts';
import { invalidParameter } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Endpoint } from './schema.ts';

export type WantedEndpoint = {
  id?: string | undefined;
  url: string;
  enabledEvents: string[];
  secret?: string | undefined;
  thin: boolean;
};

/** Adds an endpoint; under a known id it takes that one's place, and its pending deliveries. */
export function addEndpoint(account: Account, wanted: WantedEndpoint): Endpoint {
  checkUrl(wanted.url);
  const id = wanted.id ?? newId('we', 24);
  return account.endpoints.put(id, {
    id,
    created: account.clock.nowSeconds(),
    description: null,
    enabled_events: wanted.enabledEvents,
    metadata: {},
    secret: wanted.secret ?? newId('whsec', 32),
    status: 'enabled',
    url: wanted.url,
    thin: wanted.thin,
  });
}

/** Whether an endpoint asked for events of this type. */
export function wantsEvent(
  { enabled_events: enabled, status, thin }: Endpoint,
  event: { type: string; isThin: boolean },
): boolean {
  if (status === 'disabled' || (event.isThin && !thin)) return false;
  return enabled.includes('*') || enabled.includes(event.type);
}

/** The double never speaks to another machine. */
export function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' && parsed.hostname === '127.0.0.1') return;
  throw invalidParameter(
    'url',
    `Invalid URL: the offline double delivers to http://127.0.0.1 only, not to ${url}.`,
    'url_invalid',
  );
}
