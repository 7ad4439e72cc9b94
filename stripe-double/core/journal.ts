import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** One change: a collection, an id and the new value; without a value the row is removed. */
export type Change = { c: string; id: string; v?: unknown };

/** Removing leaves no `v`, not even an undefined one. */
const lineSchema = z.array(z.object({ c: z.string(), id: z.string(), v: z.unknown().optional() }));
const linesPerWrite = 1000;

/**
 * The journal on disk: one line of JSON per request, holding every change of that request, so that
 * a line torn by SIGKILL takes the whole request with it and never half of one.
 */
export class Journal {
  readonly #file: string;
  #descriptor: number;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#file = join(directory, 'journal.jsonl');
    this.#descriptor = openSync(this.#file, 'a');
  }

  /** Every change in the order it was made. Reading stops at a torn last line. */
  replay(): Change[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    // What follows the last newline was torn by a crash, before anyone was answered.
    lines.pop();
    return lines.flatMap((line, index) => this.#parse(line, index + 1));
  }

  append(changes: readonly Change[]): void {
    appendFileSync(this.#descriptor, `${JSON.stringify(changes)}\n`);
  }

  /** Replaces the journal by the given state, through a rename, so that a crash leaves one of both. */
  compact(changes: Iterable<Change>): void {
    const temporary = `${this.#file}.new`;
    rmSync(temporary, { force: true });
    writeFileSync(temporary, '');
    let block: string[] = [];
    for (const change of changes) {
      block.push(`${JSON.stringify([change])}\n`);
      if (block.length === linesPerWrite) {
        appendFileSync(temporary, block.join(''));
        block = [];
      }
    }
    appendFileSync(temporary, block.join(''));
    closeSync(this.#descriptor);
    renameSync(temporary, this.#file);
    this.#descriptor = openSync(this.#file, 'a');
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #parse(line: string, number: number): Change[] {
    if (line === '') return [];
    try {
      return lineSchema.parse(JSON.parse(line));
    } catch (error) {
      throw new Error(`${this.#file}:${number} is not a journal line; move the folder away`, {
        cause: error,
      });
    }
  }
}
