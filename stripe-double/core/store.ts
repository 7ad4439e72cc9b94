import type { z } from 'zod';
import type { Change, Journal } from './journal.ts';

type Keep = (value: unknown) => boolean;

/** A keyed set of rows of one shape, in the order in which they were first put. */
export class Collection<Row> {
  readonly #name: string;
  readonly #rows: Map<string, Row>;
  readonly #record: (change: Change) => void;

  constructor(name: string, rows: Map<string, Row>, record: (change: Change) => void) {
    this.#name = name;
    this.#rows = rows;
    this.#record = record;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  put(id: string, row: Row): Row {
    this.#rows.set(id, row);
    this.#record({ c: this.#name, id, v: row });
    return row;
  }

  remove(id: string): void {
    if (this.#rows.delete(id)) this.#record({ c: this.#name, id });
  }

  /** The rows, oldest first. */
  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  entries(): IterableIterator<[string, Row]> {
    return this.#rows.entries();
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Forgets the rows in memory; the store empties the journal. */
  clear(): void {
    this.#rows.clear();
  }
}

/**
 * All state of the double. Every change is in the journal before the request that made it is
 * answered. `open` the collections first, then call `compact` once.
 */
export class Store {
  readonly #journal: Journal | undefined;
  readonly #replayed = new Map<string, Map<string, unknown>>();
  readonly #collections = new Map<string, Collection<unknown>>();
  #pending: Change[] = [];
  #depth = 0;

  constructor(journal: Journal | undefined) {
    this.#journal = journal;
    for (const change of journal?.replay() ?? []) {
      const rows = this.#replayed.get(change.c) ?? new Map<string, unknown>();
      if (change.v === undefined) rows.delete(change.id);
      else rows.set(change.id, change.v);
      this.#replayed.set(change.c, rows);
    }
  }

  /** A collection with what the journal knew of it; rows that `keep` refuses are dropped. */
  open<Row>(name: string, schema: z.ZodType<Row>, keep: Keep = () => true): Collection<Row> {
    const rows = new Map<string, Row>();
    for (const [id, value] of this.#replayed.get(name) ?? []) {
      const row = schema.parse(value);
      if (keep(row)) rows.set(id, row);
    }
    this.#replayed.delete(name);
    const collection = new Collection(name, rows, (change) => {
      this.#record(change);
    });
    this.#collections.set(name, collection as Collection<unknown>);
    return collection;
  }

  /** Runs `work` and writes all of its changes as one journal line. */
  transaction<Result>(work: () => Result): Result {
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#flush();
    }
  }

  /** Rewrites the journal as the present state. Collections of a later version are kept as they are. */
  compact(): void {
    this.#journal?.compact(this.#everything());
  }

  /** Empties every collection and the journal. */
  clear(): void {
    for (const collection of this.#collections.values()) collection.clear();
    this.#replayed.clear();
    this.#pending = [];
    this.compact();
  }

  close(): void {
    this.#journal?.close();
  }

  #record(change: Change): void {
    if (this.#journal === undefined) return;
    this.#pending.push(change);
    if (this.#depth === 0) this.#flush();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.#journal?.append(this.#pending);
    this.#pending = [];
  }

  *#everything(): Generator<Change> {
    for (const [name, collection] of this.#collections) {
      for (const [id, row] of collection.entries()) yield { c: name, id, v: row };
    }
    for (const [name, rows] of this.#replayed) {
      for (const [id, row] of rows) yield { c: name, id, v: row };
    }
  }
}
