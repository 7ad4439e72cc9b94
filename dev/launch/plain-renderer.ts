import type { ListrRenderer, ListrTaskObject } from 'listr2';
import { ListrTaskEventType, ListrTaskState } from 'listr2';
import { formatElapsed } from '../tools/progress.ts';

type AnyTask = ListrTaskObject<unknown, typeof PlainRenderer, typeof PlainRenderer>;

interface PlainRendererOptions {
  write: (line: string) => void;
}

/** Steps as lines one under the other, for a log, a pipe, or `--json` (where they go to stderr). */
export class PlainRenderer implements ListrRenderer {
  static nonTTY = true;
  static rendererOptions: PlainRendererOptions = { write: () => undefined };
  static rendererTaskOptions: Record<string, never>;

  readonly #tasks: AnyTask[];
  readonly #write: (line: string) => void;

  constructor(tasks: AnyTask[], options: PlainRendererOptions) {
    this.#tasks = tasks;
    this.#write = options.write;
  }

  render(): void {
    this.#follow(this.#tasks, '');
  }

  end(): void {
    // Every line is out already.
  }

  #follow(tasks: readonly AnyTask[], indent: string): void {
    for (const task of tasks) {
      let startedAt = 0;
      task.on(ListrTaskEventType.SUBTASK, (subtasks) => this.#follow(subtasks, `${indent}  `));
      task.on(ListrTaskEventType.OUTPUT, (output) => this.#write(`${indent}  ${output}`));
      task.on(ListrTaskEventType.STATE, (state) => {
        const elapsed = formatElapsed(performance.now() - startedAt);
        if (state === ListrTaskState.STARTED) {
          startedAt = performance.now();
          this.#write(`${indent}> ${task.title}`);
        } else if (state === ListrTaskState.COMPLETED) {
          this.#write(`${indent}✔ ${task.title} (${elapsed})`);
        } else if (state === ListrTaskState.FAILED) {
          this.#write(`${indent}✖ ${task.title} (${elapsed})`);
        }
      });
    }
  }
}
