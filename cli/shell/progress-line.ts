/** One line on stderr that follows a job: rewritten on a terminal, else a line whenever it changes. */

export interface ProgressLine {
  show: (text: string) => void;
  end: () => void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
/** Without a terminal: not a line for each file of ten thousand. */
const plainEveryMs = 2000;

export function createProgressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let last = '';
  let shownAtMs = 0;
  let frame = 0;
  const show = (text: string): void => {
    if (stream.isTTY) {
      frame += 1;
      const width = Math.max(20, stream.columns - 3);
      stream.write(`\r\u001b[2K${frames[frame % frames.length] ?? ''} ${text.slice(0, width)}`);
    } else if (text !== last && Date.now() - shownAtMs > plainEveryMs) {
      stream.write(`${text}\n`);
      shownAtMs = Date.now();
      last = text;
    }
  };
  const end = (): void => {
    if (stream.isTTY) stream.write('\r\u001b[2K');
  };
  return { show, end };
}
