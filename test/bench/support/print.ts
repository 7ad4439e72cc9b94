/** A result as a table for people or as one JSON value. */
import type { BenchmarkResult, Figure, Unit } from './benchmark.ts';
import { ratio } from './benchmark.ts';
import type { Machine } from './machine.ts';

const mebibyte = 1024 * 1024;

const shown: Record<Unit, (value: number) => string> = {
  'per second': (value) => `${value.toFixed(1)} /s`,
  'bytes per second': (value) => `${(value / mebibyte).toFixed(1)} MiB/s`,
  bytes: (value) => `${(value / mebibyte).toFixed(1)} MiB`,
  count: (value) => value.toFixed(Number.isInteger(value) ? 0 : 2),
  seconds: (value) => `${value.toFixed(2)} s`,
  fine: (value) => value.toFixed(3),
  ms: (value) => `${value.toFixed(2)} ms`,
  µs: (value) => `${value.toFixed(1)} µs`,
};

export function printResult(
  name: string,
  machine: Machine,
  seconds: number,
  result: BenchmarkResult,
  json: boolean,
): void {
  const text = json
    ? JSON.stringify({ benchmark: name, machine, seconds, ...withRatios(result) })
    : describe(name, machine, seconds, result);
  process.stdout.write(`${text}\n`);
}

function withRatios(result: BenchmarkResult) {
  const sections = result.sections.map((section) => ({
    ...section,
    figures: section.figures.map((figure) => ({ ...figure, ratio: ratio(figure) })),
  }));
  return { ...result, sections };
}

function describe(
  name: string,
  machine: Machine,
  seconds: number,
  { sections, checks, notes }: BenchmarkResult,
): string {
  const rows = sections.flatMap(({ title, figures }) => [
    [title, '', '', '', ''],
    ...figures.map(row),
  ]);
  const right = [false, true, false, true, true];
  const headings = ['', 'measured', 'beside', '', 'ratio'];
  const memory = `${(machine.memoryBytes / mebibyte / 1024).toFixed(0)} GiB`;
  return [
    `${name}: ${machine.cores} cores (${machine.processor}), ${memory}, node ${machine.node}, ` +
      `${machine.platform}, load ${machine.loadAverage.toFixed(1)}, ${seconds.toFixed(0)} s in all`,
    '',
    ...lineUp([headings, ...rows], right),
    '',
    ...checks.map(({ ok, name: what, detail }) => `${ok ? 'right' : 'WRONG'}  ${what}: ${detail}`),
    ...notes.map((note) => `note   ${note}`),
  ].join('\n');
}

function row(figure: Figure): string[] {
  const format = shown[figure.unit];
  const part = ratio(figure);
  return [
    `  ${figure.name}`,
    format(figure.value),
    figure.beside?.name ?? '',
    figure.beside === undefined ? '' : format(figure.beside.value),
    part === undefined ? '' : part.toFixed(2),
  ];
}

function lineUp(rows: readonly string[][], right: readonly boolean[]): string[] {
  const widths = right.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
