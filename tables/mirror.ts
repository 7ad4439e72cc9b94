/** Rows that mirror an object of Stripe: what it said last, and a bounded history by event or fact. */
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { mostEntries, planHistory } from '../domain/history.ts';
import { updateIf } from './dynamo.ts';
import type { Row, TableStore } from './dynamo.ts';

type Key = Record<string, string>;
type History = Readonly<Record<string, { at: string }>>;

/** A writer loses a round only to another one that wins it. */
const mostRounds = 100;

/** A row as it stands after a write; `removed` are the keys of entries that made room for a new one. */
export interface Remembered {
  row: Row;
  removed: string[];
}

/**
 * Stores what Stripe said: values that are undefined are taken away. `revision` is the row's as it was read
 * before Stripe was asked, 0 when there was none, and the write raises it. So what stands there was always
 * asked for before what replaces it, whatever the clocks say (WH4, WH11). Returns the row as it stands then;
 * undefined when someone else wrote meanwhile: who asked must read and ask anew.
 */
export async function storeTruth(
  store: TableStore,
  TableName: string,
  key: Key,
  facts: Record<string, unknown>,
  revision: number,
): Promise<Row | undefined> {
  const change = setAll({ ...facts, revision: revision + 1 });
  return await updateIf(store, {
    TableName,
    Key: key,
    ...change,
    ConditionExpression: revision === 0 ? 'attribute_not_exists(#revision)' : '#revision = :read',
    ExpressionAttributeValues: {
      ...change.ExpressionAttributeValues,
      ...(revision === 0 ? {} : { ':read': revision }),
    },
  });
}

/**
 * Stores what follows from another mirrored row, in that row's order: undefined when what follows from a
 * newer one stands there. Who asked for this row itself meanwhile must ask anew.
 */
export async function storeDerived(
  store: TableStore,
  TableName: string,
  key: Key,
  facts: Record<string, unknown>,
  invoiceRevision: number,
): Promise<Row | undefined> {
  const change = setAll({ ...facts, invoiceRevision });
  return await updateIf(store, {
    TableName,
    Key: key,
    ...change,
    UpdateExpression: change.UpdateExpression.replace(
      'SET ',
      'SET #revision = if_not_exists(#revision, :none) + :one, ',
    ),
    ConditionExpression:
      'attribute_not_exists(#invoiceRevision) OR #invoiceRevision < :invoiceRevision',
    ExpressionAttributeNames: { ...change.ExpressionAttributeNames, '#revision': 'revision' },
    ExpressionAttributeValues: { ...change.ExpressionAttributeValues, ':none': 0, ':one': 1 },
  });
}

/** Sets what has a value, and removes what has none. */
function setAll(row: Row) {
  const all = Object.entries(row);
  const set = all.filter(([, value]) => value !== undefined);
  const gone = all.filter(([, value]) => value === undefined);
  const removal = gone.map(([name]) => `#${name}`).join(', ');
  return {
    UpdateExpression:
      `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}` +
      (gone.length === 0 ? '' : ` REMOVE ${removal}`),
    ExpressionAttributeNames: Object.fromEntries(all.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      set.map(([name, value]): [string, unknown] => [`:${name}`, value]),
    ),
  };
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
    const written = await updateIf(store, { TableName, Key: key, ...change });
    if (written !== undefined) return { row: written, removed: remove };
    known = undefined;
  }
  throw new Error(`${Object.values(key).join()} is written by too many at once`);
}

type Change = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
> & { ConditionExpression: string };

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
