/** How processings and their files are shown to people. */
import type { FileResult } from '../../domain/processing.ts';
import type { Processing } from '../../tables/processing-history.ts';
import { count, state, table, time } from '../shell/output.ts';
import type { Column } from '../shell/output.ts';

/** Files shown to a person; `--json` has all. */
const mostShown = 50;

export const processingColumns: readonly Column[] = [
  { title: 'Processing' },
  { title: 'Customer' },
  { title: 'Status' },
  { title: 'Files', align: 'right' },
  { title: 'Bytes', align: 'right' },
  { title: 'Begun (UTC)' },
  { title: 'Error' },
];

export function processingRow(row: Processing): string[] {
  return [
    row.processingId,
    row.customerId,
    state(row.status),
    count(row.fileCount),
    row.totalBytes === undefined ? '' : count(row.totalBytes),
    time(row.createdAt),
    row.errorMessage === undefined ? '' : cut(row.errorMessage, 60),
  ];
}

/** Key, bytes and the first digits of the SHA-256. */
export function filesTable(files: readonly FileResult[]): string {
  const rows = files
    .slice(0, mostShown)
    .map(({ key, bytes, sha256 }) => [key, count(bytes), sha256.slice(0, 12)]);
  const drawn = table(
    [{ title: 'File' }, { title: 'Bytes', align: 'right' }, { title: 'SHA-256' }],
    rows,
  );
  const more = files.length - mostShown;
  return more > 0 ? `${drawn}\n… and ${count(more)} more (--json has all)` : drawn;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
