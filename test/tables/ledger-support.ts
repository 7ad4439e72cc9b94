import type { Usage } from '../../domain/usage.ts';
import { at } from './support.ts';

export function usageOf(identifier: string, facts: Partial<Usage> = {}): Usage {
  return {
    identifier,
    customerId: 'cus_1',
    meter: 'file_processed',
    quantity: '1024',
    occurredAt: at(0),
    source: { kind: 'processing', id: identifier },
    ...facts,
  };
}
