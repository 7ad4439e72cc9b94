/** Lists of the usage ledger, by its indexes. */
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { UsageRecord } from '../domain/usage.ts';
import { allRows, pageSize, queryIndex } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import { rowSchema, undeliveredSchema } from './usage-row.ts';
import type { Undelivered } from './usage-row.ts';

export function createUsageQueries(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.usageLedger.name}`;

  /** A shard's undelivered records, the one due first first; at most `limit`. */
  async function undelivered(shard: number, limit: number): Promise<Undelivered[]> {
    const found: Undelivered[] = [];
    const rows = queryIndex(store, 'usageLedger', 'deliveryShard-index', {
      KeyConditionExpression: 'deliveryShard = :shard',
      ExpressionAttributeValues: { ':shard': shard },
      Limit: Math.min(pageSize, limit),
    });
    for await (const row of rows) {
      found.push(undeliveredSchema.parse(row));
      if (found.length >= limit) break;
    }
    return found;
  }

  /** A customer's records with `from` ≤ occurredAt < `to` (ISO 8601 UTC), oldest first, all pages. */
  async function* ofCustomer(
    customerId: string,
    from: string,
    to: string,
  ): AsyncGenerator<UsageRecord> {
    const rows = queryIndex(store, 'usageLedger', 'customerId-occurredAt-index', {
      KeyConditionExpression: 'customerId = :customer AND occurredAt BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':customer': customerId, ':from': from, ':to': to },
    });
    for await (const row of rows) {
      const record = rowSchema.parse(row);
      if (record.occurredAt < to) yield record;
    }
  }

  /**
   * Records delivered in a span of time (ISO 8601 UTC), of everybody, in no order: the whole table is read,
   * for no index knows the time of delivery. For what happens seldom.
   */
  async function* deliveredBetween(from: string, to: string): AsyncGenerator<UsageRecord> {
    const rows = allRows(async (startKey) => {
      const command = new ScanCommand({
        TableName,
        FilterExpression: '#state = :delivered AND deliveredAt BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':delivered': 'delivered', ':from': from, ':to': to },
        Limit: pageSize,
        ExclusiveStartKey: startKey,
      });
      return await db.send(command);
    });
    for await (const row of rows) yield rowSchema.parse(row);
  }

  return { undelivered, ofCustomer, deliveredBetween };
}
