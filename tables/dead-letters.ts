/** Work laid aside for a person (DL9). A row is kept for good: redriven and discarded ones as well. */
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { deadLetterKinds } from '../domain/dead-letters.ts';
import type {
  DeadLetter,
  DeadLetterKind,
  DeadLetterStatus,
  NewDeadLetter,
} from '../domain/dead-letters.ts';
import { deadLetterRow } from './dead-letter-row.ts';
import { queryIndex, queryIndexPage, updateIf } from './dynamo.ts';
import type { TableStore } from './dynamo.ts';
import { readable, readableRows, readRow, UnreadableRow } from './read-rows.ts';
import { tableSchemas } from './schema.ts';

const placeSchema = z.object({ createdAt: z.string(), id: z.string() });
/** Where a row stands among those of its kind; for good, since neither part of it ever changes. */
type DeadLetterPlace = z.infer<typeof placeSchema>;

/** How far each kind was read. */
export type DeadLetterPlaces = Partial<Record<DeadLetterKind, DeadLetterPlace>>;

export interface DeadLetterPage {
  letters: DeadLetter[];
  /** Where the next page begins; without it this was the last one. */
  next?: DeadLetterPlaces;
}

interface PageOptions {
  kind?: DeadLetterKind | undefined;
  /** Every one when left out. */
  status?: DeadLetterStatus | undefined;
  limit: number;
  after?: DeadLetterPlaces | undefined;
  /** What was closed long ago is read over in bounded steps. */
  mostReads?: number;
}

/** One kind while its rows are merged with those of the others. */
interface Lane {
  kind: DeadLetterKind;
  /** Read, and not taken yet. */
  rows: DeadLetter[];
  /** All up to here was taken, or was of another status. */
  place: DeadLetterPlace | undefined;
  /** Where the rows that were read last end; undefined when no more follow. */
  readTo: DeadLetterPlace | undefined;
  isEnded: boolean;
}

function isOfKind<Kind extends DeadLetterKind>(
  letter: DeadLetter,
  kind: Kind | undefined,
): letter is DeadLetter<Kind> {
  return kind === undefined || letter.kind === kind;
}

/** Queries for one page. */
const usualReads = 20;

export type DeadLetters = ReturnType<typeof createDeadLetters>;

export function createDeadLetters(store: TableStore) {
  const { db, prefix } = store;
  const TableName = `${prefix}${tableSchemas.deadLetters.name}`;

  async function get(id: string): Promise<DeadLetter | undefined> {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: { id }, ConsistentRead: true }),
    );
    return Item === undefined ? undefined : readRow(deadLetterRow, Item, `dead-letters/${id}`);
  }

  /** Since when it stands; one that cannot be read is written over, for work must not lack its letter. */
  async function createdAt(id: string): Promise<string | undefined> {
    try {
      return (await get(id))?.createdAt;
    } catch (error) {
      if (error instanceof UnreadableRow) return undefined;
      throw error;
    }
  }

  /** Lays work aside, `open`. The same work again after a redrive opens its row again. */
  async function open(letter: NewDeadLetter, now: string): Promise<void> {
    const Item: DeadLetter = {
      ...letter,
      status: 'open',
      createdAt: (await createdAt(letter.id)) ?? now,
      updatedAt: now,
    };
    await db.send(new PutCommand({ TableName, Item }));
  }

  /**
   * `open` → `redriven`, `settled` or `discarded`; `false` when it is not open, or was opened anew since it was
   * read: `readAs` is the letter's `updatedAt` at that time.
   */
  async function close(
    id: string,
    to: { status: 'redriven' } | { status: 'discarded' | 'settled'; reason: string },
    now: string,
    readAs?: string,
  ): Promise<boolean> {
    const reason = to.status === 'redriven' ? {} : { ':reason': to.reason };
    const field = to.status === 'settled' ? 'settleReason' : 'discardReason';
    const read = readAs === undefined ? {} : { ':read': readAs };
    const closed = await updateIf(store, {
      TableName,
      Key: { id },
      UpdateExpression:
        'SET #status = :status, updatedAt = :now' +
        (to.status === 'redriven' ? '' : `, ${field} = :reason`),
      ConditionExpression:
        '#status = :open' + (readAs === undefined ? '' : ' AND updatedAt = :read'),
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':status': to.status,
        ':open': 'open',
        ':now': now,
        ...reason,
        ...read,
      },
    });
    return closed !== undefined;
  }

  /** `discarded` → `open`, with the reason of the discard kept; `false` when it is not discarded. */
  async function reopen(id: string, now: string): Promise<boolean> {
    const reopened = await updateIf(store, {
      TableName,
      Key: { id },
      UpdateExpression: 'SET #status = :open, updatedAt = :now',
      ConditionExpression: '#status = :discarded',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':open': 'open', ':discarded': 'discarded', ':now': now },
    });
    return reopened !== undefined;
  }

  /** All of one kind, or of every kind, oldest first within a kind; all pages. */
  async function* list<Kind extends DeadLetterKind = DeadLetterKind>(
    kind: Kind | undefined,
  ): AsyncGenerator<DeadLetter<Kind>> {
    for (const wanted of kind === undefined ? deadLetterKinds : [kind]) {
      const rows = queryIndex(store, 'deadLetters', 'kind-createdAt-index', {
        KeyConditionExpression: 'kind = :kind',
        ExpressionAttributeValues: { ':kind': wanted },
      });
      for await (const letter of readableRows(store, 'deadLetters', deadLetterRow, rows)) {
        if (isOfKind(letter, kind)) yield letter;
      }
    }
  }

  /** Reads the next rows of a kind; none may be of the wanted status. */
  async function read(lane: Lane, status: DeadLetterStatus | undefined): Promise<void> {
    const start = lane.place === undefined ? undefined : { kind: lane.kind, ...lane.place };
    const page = await queryIndexPage(store, 'deadLetters', 'kind-createdAt-index', {
      KeyConditionExpression: 'kind = :kind',
      ...(status === undefined
        ? { ExpressionAttributeValues: { ':kind': lane.kind } }
        : {
            FilterExpression: '#status = :status',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: { ':kind': lane.kind, ':status': status },
          }),
      ExclusiveStartKey: start,
    });
    const { Items = [], LastEvaluatedKey } = page;
    lane.rows = readable(store, 'deadLetters', deadLetterRow, Items);
    lane.isEnded = LastEvaluatedKey === undefined;
    lane.readTo = lane.isEnded ? undefined : placeSchema.parse(LastEvaluatedKey);
    if (lane.rows.length === 0) lane.place = lane.readTo ?? lane.place;
  }

  /**
   * At most `limit`, the oldest first over all kinds, from `after` on. A page may hold fewer, even
   * none, and not be the last one: reading stops after so many closed rows.
   */
  async function page({
    kind,
    status,
    limit,
    after = {},
    mostReads = usualReads,
  }: PageOptions): Promise<DeadLetterPage> {
    const lanes = (kind === undefined ? deadLetterKinds : [kind]).map((wanted): Lane => ({
      kind: wanted,
      rows: [],
      place: after[wanted],
      readTo: undefined,
      isEnded: false,
    }));
    const letters: DeadLetter[] = [];
    let reads = 0;
    while (letters.length < limit) {
      // Which row is the oldest is known only when every kind has shown its next one.
      const unknown = lanes.filter(({ rows, isEnded }) => rows.length === 0 && !isEnded);
      if (unknown.length === 0) {
        const letter = takeOldest(lanes);
        if (letter === undefined) break;
        letters.push(letter);
      } else {
        if (reads >= mostReads) break;
        reads += unknown.length;
        await Promise.all(unknown.map(async (lane) => await read(lane, status)));
      }
    }
    if (lanes.every(({ rows, isEnded }) => rows.length === 0 && isEnded)) return { letters };
    const places = lanes.flatMap((lane) =>
      lane.place === undefined ? [] : [[lane.kind, lane.place] as const],
    );
    return { letters, next: Object.fromEntries(places) };
  }

  return { get, open, close, reopen, list, page };
}

function takeOldest(lanes: readonly Lane[]): DeadLetter | undefined {
  const [oldest] = lanes.filter(({ rows }) => rows.length > 0).toSorted(byFirstRow);
  const letter = oldest?.rows.shift();
  if (oldest === undefined || letter === undefined) return undefined;
  const { createdAt, id } = letter;
  // After the last of them, rows of another status have been read as well.
  oldest.place = (oldest.rows.length === 0 ? oldest.readTo : undefined) ?? { createdAt, id };
  return letter;
}

/** Equally old ones stand in the order of their kinds. */
function byFirstRow({ rows: [one] }: Lane, { rows: [other] }: Lane): number {
  const [a, b] = [one?.createdAt ?? '', other?.createdAt ?? ''];
  return a < b ? -1 : a > b ? 1 : 0;
}
