/** Rows that mirror an object of Stripe: what it said last, and a bounded history by event or fact. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { mostEntries, planHistory } from '../domain/history.ts';
import type { TableStore } from './dynamo.ts';

type Key = Record<string, string>;
type Row = Record<string, unknown>;
type History = Readonly<Record<string, { at: string }>>;

/** A writer loses a round only to another one that wins it. */
const mostRounds = 100;

/** A row as it stands after a write; `removed` are the keys of entries that made room for a new one. */
export interface Remembered {
  row: Row;
  removed: string[];
}

/**
 * Stores what Stripe said at `fetchedAt` (ISO 8601): values that are undefined are taken away. Returns
 * the row as it stands then; undefined when something newer stands there: an older answer never
 * overwrites it (WH4).
 */
export async function storeTruth(
  store: TableStore,
  TableName: string,
  key: Key,
  facts: Record<string, unknown>,
  fetchedAt: string,
): Promise<Row | undefined> {
  const row: Row = { ...facts, fetchedAt };
  const all = Object.entries(row);
  const set = all.filter(([, value]) => value !== undefined);
  const gone = all.filter(([, value]) => value === undefined);
  const removal = gone.map(([name]) => `#${name}`).join(', ');
  return await update(store, {
    TableName,
    Key: key,
    UpdateExpression:
      `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}` +
      (gone.length === 0 ? '' : ` REMOVE ${removal}`),
    ConditionExpression: 'attribute_not_exists(fetchedAt) OR fetchedAt <= :fetchedAt',
    ExpressionAttributeNames: Object.fromEntries(all.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
  });
}

/**
 * Adds an entry to the history of a row that is there, as `planHistory` decides. What was decided on is
 * the write's condition: when another writer was quicker the row is read and decided on anew, so that the
 * history is right whoever writes at the same time. `row` is as it was read last.
 */
export async function addToHistory(
  store: TableStore,
  TableName: string,
  key: Key,
  name: string,
  entry: { at: string },
  row?: Row,
): Promise<Remembered> {
  let known = row;
  for (let round = 0; round < mostRounds; round += 1) {
    known ??= await read(store, TableName, key);
    const history = (known['history'] ?? {}) as History;
    const { add, remove } = planHistory(history, name, entry);
    if (!add) return { row: known, removed: [] };
    const isFirst = Object.keys(history).length === 0;
    const change = isFirst ? begin(name, entry) : goOn(name, entry, remove);
    const written = await update(store, { TableName, Key: key, ...change });
    if (written !== undefined) return { row: written, removed: remove };
    known = undefined;
  }
  throw new Error(`${Object.values(key).join()} is written by too many at once`);
}

type Change = Pick<
  UpdateCommandInput,
  | 'UpdateExpression'
  | 'ConditionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
>;

function begin(name: string, entry: unknown): Change {
  return {
    UpdateExpression: 'SET history = :first',
    ConditionExpression: 'attribute_not_exists(history) OR size(history) = :none',
    ExpressionAttributeValues: { ':first': { [name]: entry }, ':none': 0 },
  };
}

/** With something to remove the history is full, and stays so: the oldest is the oldest while it is there. */
function goOn(name: string, entry: unknown, remove: readonly string[]): Change {
  const gone = remove.map((_, index) => `history.#gone${index}`);
  const isNew = 'attribute_not_exists(history.#new)';
  const names = { '#new': name };
  const values = { ':entry': entry };
  if (gone.length === 0) {
    return {
      UpdateExpression: 'SET history.#new = :entry',
      ConditionExpression: `${isNew} AND size(history) < :most`,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ...values, ':most': mostEntries },
    };
  }
  return {
    UpdateExpression: `SET history.#new = :entry REMOVE ${gone.join(', ')}`,
    ConditionExpression: [isNew, ...gone.map((one) => `attribute_exists(${one})`)].join(' AND '),
    ExpressionAttributeNames: {
      ...names,
      ...Object.fromEntries(remove.map((one, index) => [`#gone${index}`, one])),
    },
    ExpressionAttributeValues: values,
  };
}

async function read({ db }: TableStore, TableName: string, key: Key): Promise<Row> {
  const { Item } = await db.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
  if (Item === undefined) throw new Error(`${Object.values(key).join()} must be mirrored before`);
  return Item;
}

/** The row after the write; undefined when its condition did not hold. */
async function update({ db }: TableStore, input: UpdateCommandInput): Promise<Row | undefined> {
  try {
    const command = new UpdateCommand({ ...input, ReturnValues: 'ALL_NEW' });
    return (await db.send(command)).Attributes;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
