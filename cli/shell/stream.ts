/** Long lists, written row by row: nothing is held, however many there are. */
import { once } from 'node:events';
import { colors, plain } from './output.ts';
import type { Column } from './output.ts';

export interface StreamColumn extends Column {
  /** A longer cell is shown whole and pushes the others aside. */
  width: number;
}

export interface StreamOptions {
  json: boolean;
  columns: readonly StreamColumn[];
  /** For machines: what comes before the rows, and the rows' own name. */
  head: Readonly<Record<string, unknown>>;
  rowsName: string;
}

/** One JSON object with an array of rows, or lines of a table; begun by the first row or the end. */
export class RowStream {
  readonly #options: StreamOptions;
  #rows = 0;
  begun = false;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  async row(json: unknown, cells: readonly string[]): Promise<void> {
    await this.#begin();
    const text = this.#options.json
      ? `${this.#rows === 0 ? '' : ','}${JSON.stringify(json)}`
      : `${this.#line(cells)}\n`;
    this.#rows += 1;
    await write(text);
  }

  /** `tail` are the object's last members; `text` what a person reads below the table. */
  async end(tail: Readonly<Record<string, unknown>>, text: string): Promise<void> {
    await this.#begin();
    await write(this.#options.json ? `],${JSON.stringify(tail).slice(1)}\n` : `\n${text}\n`);
  }

  async #begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    const { json, columns, head, rowsName } = this.#options;
    const opening = `${JSON.stringify(head).slice(0, -1)},"${rowsName}":[`;
    const titles = columns.map(({ title }) => title);
    await write(json ? opening : `${colors.bold(this.#line(titles))}\n`);
  }

  #line(cells: readonly string[]): string {
    const padded = this.#options.columns.map(({ width, align }, index) => {
      const cell = plain(cells[index] ?? '');
      return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return padded.join('  ').trimEnd();
  }
}

/** Waits for a reader that is slower than we are. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
