import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Usage, UsageRecord } from '../../domain/usage.ts';
import type { TableStore } from '../../tables/dynamo.ts';
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

/** As a row stood that a refused key had met for four days, before its life was bounded. */
export async function growLife(
  { db, prefix }: TableStore,
  identifier: string,
  lines: number,
): Promise<UsageRecord['life']> {
  const life = Array.from({ length: lines }, (_, n) => ({
    at: at(0),
    what: `${n} attempt failed: ${'x'.repeat(200)}`,
  }));
  await db.send(
    new UpdateCommand({
      TableName: `${prefix}usage-ledger`,
      Key: { identifier },
      UpdateExpression: 'SET #life = :life',
      ExpressionAttributeNames: { '#life': 'life' },
      ExpressionAttributeValues: { ':life': life },
    }),
  );
  return life;
}
