/** Whether Stripe sends us what we want to hear of (WH13). Pure: what Stripe has comes as data. */
import { snapshotTypes, thinTypes } from './stripe-events.ts';

/** A webhook endpoint, or an event destination of either kind of payload. */
export interface Destination {
  id: string;
  url: string | undefined;
  isEnabled: boolean;
  events: readonly string[];
  payload: 'snapshot' | 'thin';
}

export interface EndpointProblem {
  detail: string;
  advice: string;
}

const path = '/webhooks/stripe';

/** `publicUrl` is where Stripe reaches our server; unknown, any address of our path may be ours. */
export function judgeDestinations(
  destinations: readonly Destination[],
  publicUrl: string | undefined,
): EndpointProblem[] {
  const wanted = publicUrl === undefined ? undefined : `${publicUrl.replace(/\/+$/, '')}${path}`;
  const isOurs = ({ url }: Destination) =>
    wanted === undefined ? url?.endsWith(path) === true : url === wanted;
  const address = wanted ?? `the address of our server (PUBLIC_URL), ${path}`;
  return (['snapshot', 'thin'] as const).flatMap((payload) => {
    const all = destinations.filter((one) => one.payload === payload);
    return judge(payload, { all, ours: all.filter((one) => isOurs(one)), address });
  });
}

function judge(
  payload: Destination['payload'],
  found: { all: readonly Destination[]; ours: readonly Destination[]; address: string },
): EndpointProblem[] {
  const { all, ours, address } = found;
  const types = payload === 'snapshot' ? snapshotTypes : thinTypes;
  const what = payload === 'snapshot' ? 'webhook endpoint' : 'event destination for thin events';
  const advice = `create one at Stripe: ${address}, with ${types.join(', ')}`;
  if (ours.length === 0) {
    const elsewhere = all.map(({ id, url = 'no address' }) => `${id} goes to ${url}`).join(', ');
    const others = elsewhere === '' ? '' : ` (${elsewhere})`;
    return [{ detail: `no ${what} leads to us${others}`, advice }];
  }
  const enabled = ours.filter(({ isEnabled }) => isEnabled);
  if (enabled.length === 0) {
    const ids = ours.map(({ id }) => id).join(', ');
    return [{ detail: `${what} ${ids} is disabled`, advice: `enable ${ids} at Stripe` }];
  }
  const missing = types.filter(
    (type) => !enabled.some(({ events }) => events.includes('*') || events.includes(type)),
  );
  if (missing.length === 0) return [];
  const ids = enabled.map(({ id }) => id).join(', ');
  const listed = missing.join(', ');
  return [
    { detail: `${what} ${ids} does not ask for ${listed}`, advice: `add to ${ids}: ${listed}` },
  ];
}
