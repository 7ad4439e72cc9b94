/** Lists of the usage ledger, by its indexes. */
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { UsageRecord } from '../domain/usage.ts';
import { allRows, pageSize, queryIndex } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { tableSchemas } from './schema.ts';
import { readableRows, readRow, rowName, tryRow, UnreadableRow } from './read-rows.ts';
import { quantitySchema, rowSchema, undeliveredSchema } from './usage-row.ts';
import type { Undelivered, UsageQuantity } from './usage-row.ts';

/** Small rows: a month of a busy customer is read in fewer pages. */
const quantitiesPerPage = 1000;

export interface UnreadableUsage {
  identifier: string;
  problem: UnreadableRow;
}

export function createUsageQueries(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.usageLedger.name}`;

  /**
   * A shard's undelivered records, the one due first first; at most `limit` with those that cannot be read,
   * which the caller lays aside.
   */
  async function undelivered(
    shard: number,
    limit: number,
  ): Promise<{ waiting: Undelivered[]; unreadable: UnreadableUsage[] }> {
    const waiting: Undelivered[] = [];
    const unreadable: UnreadableUsage[] = [];
    const rows = queryIndex(store, 'usageLedger', 'deliveryShard-index', {
      KeyConditionExpression: 'deliveryShard = :shard',
      ExpressionAttributeValues: { ':shard': shard },
      Limit: Math.min(pageSize, limit),
    });
    for await (const row of rows) {
      const read = tryRow(undeliveredSchema, row, rowName('usageLedger', row));
      if (!(read instanceof UnreadableRow)) waiting.push(read);
      else unreadable.push({ identifier: String(row['identifier']), problem: read });
      if (waiting.length + unreadable.length >= limit) break;
    }
    return { waiting, unreadable };
  }

  function rowsOf(customerId: string, from: string, to: string) {
    return queryIndex(store, 'usageLedger', 'customerId-occurredAt-index', {
      KeyConditionExpression: 'customerId = :customer AND occurredAt BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':customer': customerId, ':from': from, ':to': to },
    });
  }

  /** A customer's records with `from` ≤ occurredAt < `to` (ISO 8601 UTC), oldest first, all pages. */
  async function* ofCustomer(
    customerId: string,
    from: string,
    to: string,
  ): AsyncGenerator<UsageRecord> {
    const rows = rowsOf(customerId, from, to);
    for await (const record of readableRows(store, 'usageLedger', rowSchema, rows)) {
      if (record.occurredAt < to) yield record;
    }
  }

  /** Their identifiers and meters alone, whatever else their rows hold: for who reads each of them itself. */
  async function* namesOf(
    customerId: string,
    from: string,
    to: string,
  ): AsyncGenerator<{ identifier: string; meter: unknown }> {
    for await (const row of rowsOf(customerId, from, to)) {
      const { identifier, meter, occurredAt } = row;
      if (String(occurredAt) < to) yield { identifier: String(identifier), meter };
    }
  }

  /**
   * Of each of a customer's records with `from` ≤ occurredAt < `to` what a sum needs, all pages: without its
   * life, which is most of a row, so a page holds more of them.
   */
  async function* quantitiesOf(
    customerId: string,
    from: string,
    to: string,
  ): AsyncGenerator<UsageQuantity> {
    const rows = queryIndex(store, 'usageLedger', 'customerId-occurredAt-index', {
      KeyConditionExpression: 'customerId = :customer AND occurredAt BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':customer': customerId, ':from': from, ':to': to },
      ProjectionExpression: 'identifier, meter, quantity, #state, occurredAt',
      ExpressionAttributeNames: { '#state': 'state' },
      Limit: quantitiesPerPage,
    });
    for await (const row of rows) {
      const name = `usage-ledger/${String(row['identifier'])}`;
      const { occurredAt, ...usage } = readRow(quantitySchema, row, name);
      if (occurredAt < to) yield usage;
    }
  }

  /**
   * Records delivered in a span of time (ISO 8601 UTC), of everybody, in no order: the whole table is read,
   * for no index knows the time of delivery. For what happens seldom. One that cannot be read says so.
   */
  async function* deliveredBetween(
    from: string,
    to: string,
  ): AsyncGenerator<UsageRecord | UnreadableRow> {
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
    for await (const row of rows) yield tryRow(rowSchema, row, rowName('usageLedger', row));
  }

  /** Records whose identifiers begin so, of everybody: the whole table is read. For what happens seldom. */
  async function* beginningWith(begin: string): AsyncGenerator<UsageRecord> {
    const rows = allRows(async (startKey) => {
      const command = new ScanCommand({
        TableName,
        FilterExpression: 'begins_with(identifier, :begin)',
        ExpressionAttributeValues: { ':begin': begin },
        Limit: pageSize,
        ExclusiveStartKey: startKey,
      });
      return await db.send(command);
    });
    yield* readableRows(store, 'usageLedger', rowSchema, rows);
  }

  return { undelivered, ofCustomer, namesOf, beginningWith, quantitiesOf, deliveredBetween };
}
