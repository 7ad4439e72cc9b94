/** Reads what `test/histories/record.ts` wrote. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import type { History } from '@temporalio/common/lib/proto-utils.js';

const folder = path.join(import.meta.dirname, '../histories');

export interface StoredHistory {
  /** `<shape>/<workflow type>.<story>.json` */
  name: string;
  text: string;
  history: History;
  workflowType: string;
}

export function readStoredHistories(): StoredHistory[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8');
      const history = historyFromJSON(JSON.parse(text));
      const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
      return { name, text, history, workflowType: started?.workflowType?.name ?? '' };
    });
}

/** Every payload of a history as text: what a reader with its key would see. */
export function payloadsOf(text: string): string[] {
  const payloads: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    if (key === 'data' && typeof value === 'string') {
      payloads.push(Buffer.from(value, 'base64').toString('utf8'));
    }
    return value;
  });
  return payloads;
}
