import type { Account } from '../account/account.ts';
import { existing } from '../core/reading.ts';
import type { Meter } from './schema.ts';

/** The meter of a path; 404 when there is none. */
export function findMeter(account: Account, id: string | undefined): Meter {
  return existing(account.meters, 'meter', id);
}

/** The active meter that takes events of this name: there is at most one. */
export function findActiveMeter(account: Account, eventName: string): Meter | undefined {
  for (const meter of account.meters.values()) {
    if (meter.event_name === eventName && meter.status === 'active') return meter;
  }
  return undefined;
}
