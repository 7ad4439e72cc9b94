/** Tables and figures for people. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { readEnvironment } from '../../platform/config.ts';

/** Colours are for terminals only, and for those who have not set NO_COLOR. */
export const colors = pc.createColors(
  process.stdout.isTTY && (readEnvironment()['NO_COLOR'] ?? '') === '',
);

export interface Column {
  title: string;
  align?: 'right';
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Aligned columns without borders; control characters in a cell cannot reach the terminal. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    chars: borderless,
    head: columns.map(({ title }) => colors.bold(title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) drawn.push(row.map((cell) => plain(cell)));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names and values, one to a line; what has no value is left out. */
export function facts(pairs: readonly (readonly [string, string | undefined])[]): string {
  const shown = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${colors.dim(name.padEnd(width))}  ${plain(value)}`)
    .join('\n');
}

/** 1234567 → 1,234,567; digits of any length. */
export function count(value: number | string): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** 5368709120 → 5.0 GB, where 1 GB = 2^30 bytes as on the invoice; cut, not rounded. */
export function humanBytes(digits: string): string {
  let tenths = BigInt(digits) * 10n;
  let unit = 0;
  while (tenths >= 10_240n && unit < units.length - 1) {
    tenths /= 1024n;
    unit += 1;
  }
  const whole = count(String(tenths / 10n));
  return unit === 0 ? `${whole} bytes` : `${whole}.${tenths % 10n} ${units[unit] ?? ''}`;
}

/** 2026-11-21T14:31:21.123Z → 2026-11-21 14:31:21 (UTC, as everywhere here). */
export function time(iso: string | undefined): string {
  return iso === undefined ? '' : iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
}

/** 83_000 → 83.0 s */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const good = new Set(
  'created present completed delivered ok redriven active billed success applied succeeded trialing'.split(
    ' ',
  ),
);
const bad = new Set(
  'failed differs rejected parked down missing open again dead past_due unpaid'.split(' '),
);

/** A state in its colour. */
export function state(value: string): string {
  if (good.has(value)) return colors.green(value);
  return bad.has(value) ? colors.red(value) : colors.yellow(value);
}

/** One line; keeps our own colours and drops every other control character. */
export function plain(text: string): string {
  const cell = text.replaceAll(/\s*\n\s*/g, ' ');
  // oxlint-disable-next-line no-control-regex
  return cell.replaceAll(/(?!\u001b\[\d+m)[\p{Cc}\p{Cf}]/gu, '�');
}
