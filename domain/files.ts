/** The keys of a customer's files in the bucket, and what a job may name. */
import { parseCast } from './casts.ts';
import type { FileVersion } from './casts.ts';
import { BillingError } from './errors.ts';
import { parseCustomerId, parseProcessingId, printable } from './ids.ts';
import type { ProcessingRequest } from './processing.ts';

export const mostFilesPerJob = 10_000;
/** Files handled by one activity; a job of 10,000 files is 400 activities. */
export const filesPerChunk = 25;
/** The list travels in the workflow's input, which Temporal limits to 2 MB. */
const mostKeyBytes = 1_500_000;
/** S3's limit for a key, in UTF-8 bytes. */
const longestKeyBytes = 1024;

export const inputRoot = 'service/input/';
export const outputRoot = 'service/output/';
/** Customers that one activity of the daily run goes through. */
export const customersPerChunk = 1000;

export function inputPrefix(customerId: string): string {
  return `${inputRoot}${customerId}/`;
}

export function outputPrefix(customerId: string): string {
  return `${outputRoot}${customerId}/`;
}

/** Where a daily run keeps its sorted list of customers while it runs; outside what is measured. */
export function customersKey(day: string, runKey: string, chunk: number): string {
  return `durabill/aggregate-storage/${day}/${runKey}/${String(chunk).padStart(5, '0')}.json`;
}

export function inputKey(customerId: string, file: string): string {
  return `${inputPrefix(customerId)}${file}`;
}

/**
 * How large the parts of an output are. S3 takes 10,000 parts; a tenth of them is room for output that is
 * larger than its input, which compression of noise is by a thousandth.
 */
export function partBytesOf(inputBytes: number): number {
  const mebibytes = Math.ceil(inputBytes / 9000 / 1_048_576);
  return Math.max(8, mebibytes) * 1_048_576;
}

/** Results are kept per processing, so that undoing a failed one never touches another's. */
export function outputKey(customerId: string, processingId: string, file: string): string {
  return `${outputPrefix(customerId)}${processingId}/${file}.gz`;
}

/**
 * Checks a job's list and makes each name relative to the customer's input prefix (a full key under
 * that prefix is accepted too). Throws BillingError `invalid_request` or `too_large`, naming the file.
 */
export function parseFiles(
  customerId: string,
  processingId: string,
  names: readonly string[],
): string[] {
  if (names.length === 0) throw invalid('the list of files is empty: name at least one');
  if (names.length > mostFilesPerJob) {
    throw new BillingError(
      'too_large',
      `${names.length} files in one job: at most ${mostFilesPerJob}; split it into several`,
    );
  }
  const seen = new Set<string>();
  let keyBytes = 0;
  for (const name of names) {
    const file = parseFile(customerId, name);
    if (seen.has(file)) throw invalid(`"${printable(file)}" is named twice`);
    seen.add(file);
    keyBytes += utf8Length(file);
    const longest = utf8Length(outputKey(customerId, processingId, file));
    if (longest > longestKeyBytes) {
      throw invalid(`"${printable(file)}" is too long: its output key would pass 1,024 bytes`);
    }
  }
  if (keyBytes > mostKeyBytes) {
    throw new BillingError(
      'too_large',
      `the names of the files are ${keyBytes} bytes in all: at most ${mostKeyBytes}; split the job`,
    );
  }
  return [...seen];
}

/**
 * An order for a job, from anyone who may start a workflow: its shape, its ids and its list are checked, its
 * names made relative. Throws BillingError.
 */
export function parseProcessing(order: unknown): ProcessingRequest {
  const given: Partial<Record<keyof ProcessingRequest, unknown>> = { ...(order as object) };
  if (typeof given.processingId !== 'string') throw invalid('processingId is not a text');
  if (typeof given.customerId !== 'string') throw invalid('customerId is not a text');
  const { files } = given;
  if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) {
    throw invalid('files is not a list of names');
  }
  const processingId = parseProcessingId(given.processingId);
  const customerId = parseCustomerId(given.customerId);
  const cast = parseCast(given.cast, files.length);
  return {
    processingId,
    customerId,
    files: parseFiles(customerId, processingId, files),
    ...(cast === undefined ? {} : { cast }),
  };
}

function parseFile(customerId: string, name: string): string {
  const own = inputPrefix(customerId);
  const shown = printable(name);
  if (name.startsWith('service/') && !name.startsWith(own)) {
    throw invalid(`"${shown}" is outside ${own}: a job reads its own customer's files only`);
  }
  const file = name.startsWith(own) ? name.slice(own.length) : name;
  if (file === '' || file.endsWith('/')) throw invalid(`"${shown}" names a folder, not a file`);
  if (/\p{Cc}/u.test(file)) throw invalid(`"${shown}" holds a control character`);
  if (/\p{Cs}/u.test(file)) throw invalid(`"${shown}" is not valid Unicode`);
  const steps = file.split('/');
  if (file.includes('\\') || steps.some((step) => step === '' || step === '.' || step === '..')) {
    throw invalid(`"${shown}" leaves ${own} or is not a plain path (no "..", ".", "//" or "\\")`);
  }
  return file;
}

/** Cuts a job into the lists that single activities handle. */
export function chunkFiles(files: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let start = 0; start < files.length; start += filesPerChunk) {
    chunks.push(files.slice(start, start + filesPerChunk));
  }
  return chunks;
}

/** Of a chunk's files only. */
export function versionsOf(
  { files, cast }: Pick<ProcessingRequest, 'files' | 'cast'>,
  names: readonly string[],
): Record<string, FileVersion> | undefined {
  const versions = cast?.versions;
  if (versions === undefined) return undefined;
  const wanted = new Set(names);
  const own = files.flatMap((file, index) => {
    const version = versions[index];
    return version !== undefined && wanted.has(file) ? [[file, version] as const] : [];
  });
  return Object.fromEntries(own);
}

function invalid(message: string): BillingError {
  return new BillingError('invalid_request', message);
}

/** UTF-8 bytes of a string, without Node's Buffer: this file is bundled into workflows. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}
