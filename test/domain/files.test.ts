import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  chunkFiles,
  filesPerChunk,
  inputKey,
  inputPrefix,
  mostFilesPerJob,
  outputKey,
  outputPrefix,
  partBytesOf,
  parseFiles,
  parseProcessing,
} from '../../domain/files.ts';
import { anyText, refusalOf } from './support.ts';

const parse = (...names: string[]): string[] => parseFiles('cus_1', 'job-1', names);
const named = (count: number): string[] => Array.from({ length: count }, (_, n) => `f-${n}.bin`);

describe('FM12 a job names files of one customer', () => {
  test('FM12 names are relative to the customer’s prefix; the full key is accepted too', () => {
    expect(parse('a.csv', 'service/input/cus_1/dir/b.csv', 'c/d/e')).toStrictEqual([
      'a.csv',
      'dir/b.csv',
      'c/d/e',
    ]);
    expect(inputKey('cus_1', 'dir/b.csv')).toBe('service/input/cus_1/dir/b.csv');
    expect(outputKey('cus_1', 'job-1', 'dir/b.csv')).toBe(
      'service/output/cus_1/job-1/dir/b.csv.gz',
    );
  });

  test.each([
    'a',
    '...',
    '..a',
    'a..',
    '.hidden',
    'a.b/..c/d',
    ' ',
    'a b',
    '日本語/ファイル.csv',
    '😀',
    'service.csv',
    'servicex/input',
    '~/x',
    'C:/x',
    '%2e%2e/x',
    'a?b#c',
    '__proto__',
  ])('FM12 %j is a plain name', (name) => {
    expect(parse(name)).toStrictEqual([name]);
  });

  test.each([
    ['service/input/cus_2/a', 'outside'],
    ['service/input/cus_10/a', 'outside'],
    ['service/input/cus_/a', 'outside'],
    ['service/input/cus_1', 'outside'],
    ['service/output/cus_1/a', 'outside'],
    ['service/', 'outside'],
    ['', 'names a folder'],
    ['service/input/cus_1/', 'names a folder'],
    ['a/', 'names a folder'],
    ['/', 'names a folder'],
    ['../cus_2/a', 'leaves'],
    ['..', 'leaves'],
    ['.', 'leaves'],
    ['./a', 'leaves'],
    ['a/..', 'leaves'],
    ['a/../../cus_2/b', 'leaves'],
    ['a/./b', 'leaves'],
    ['a//b', 'leaves'],
    ['/a', 'leaves'],
    ['/etc/passwd', 'leaves'],
    ['/service/input/cus_1/a', 'leaves'],
    ['service/input/cus_1//a', 'leaves'],
    ['service/input/cus_1/../cus_2/a', 'leaves'],
    ['a\\b', 'leaves'],
    ['..\\a', 'leaves'],
    ['a\u0000b', 'control character'],
    ['a\nb', 'control character'],
    ['a\tb', 'control character'],
    ['a\u007f', 'control character'],
    ['a\u0085', 'control character'],
    ['a\ud800', 'not valid Unicode'],
    ['\udc00a', 'not valid Unicode'],
    ['\udc00\ud800', 'not valid Unicode'],
  ])('FM12 %j is refused', (name, reason) => {
    const { code, message } = refusalOf(() => parse('good', name));
    expect(code).toBe('invalid_request');
    expect(message).toContain(reason);
    expect(/\p{Cc}/u.test(message)).toBe(false);
  });

  test('FM12 the refusal names the file', () => {
    expect(refusalOf(() => parse('good', '../b')).message).toBe(
      '"../b" leaves service/input/cus_1/ or is not a plain path (no "..", ".", "//" or "\\")',
    );
    expect(refusalOf(() => parse('service/input/cus_10/a')).message).toBe(
      '"service/input/cus_10/a" is outside service/input/cus_1/: a job reads its own customer\'s files only',
    );
  });

  test('FM12 a file named twice is refused, in either spelling', () => {
    const twice = { code: 'invalid_request', message: '"a" is named twice' };
    expect(refusalOf(() => parse('a', 'b', 'a'))).toStrictEqual(twice);
    expect(refusalOf(() => parse('a', 'service/input/cus_1/a'))).toStrictEqual(twice);
    // Keys are case-sensitive and not normalised: these are different objects.
    expect(parse('a', 'A', 'e\u0301', '\u00e9')).toStrictEqual(['a', 'A', 'e\u0301', '\u00e9']);
  });
});

describe('FM12 limits of a job', () => {
  test('FM12 at least one file, at most 10,000', () => {
    expect(mostFilesPerJob).toBe(10_000);
    expect(refusalOf(() => parse()).code).toBe('invalid_request');
    expect(parse(...named(10_000))).toStrictEqual(named(10_000));
    expect(refusalOf(() => parse(...named(10_001)))).toStrictEqual({
      code: 'too_large',
      message: '10001 files in one job: at most 10000; split it into several',
    });
  });

  test.each([
    ['a', 1],
    ['é', 2],
    ['字', 3],
    ['😀', 4],
  ])('FM12 output keys of up to 1,024 bytes (in %s)', (letter, bytes) => {
    const room = 1024 - Buffer.byteLength(outputKey('cus_1', 'job-1', ''));
    const file = letter.repeat(Math.floor(room / bytes)) + 'x'.repeat(room % bytes);
    expect(Buffer.byteLength(outputKey('cus_1', 'job-1', file))).toBe(1024);
    expect(parse(file)).toStrictEqual([file]);
    const { code, message } = refusalOf(() => parse(`${file}x`));
    expect(code).toBe('invalid_request');
    expect(message).toContain('its output key would pass 1,024 bytes');
    expect(message.length < 200).toBe(true);
  });

  test('FM12 the names are at most 1,500,000 bytes in all', () => {
    const long = (count: number, size: number): string[] =>
      Array.from({ length: count }, (_, n) => String(n).padStart(size, 'n'));
    expect(parse(...long(1500, 900), ...long(151, 990), 'x'.repeat(510))).toHaveLength(1652);
    const { code, message } = refusalOf(() =>
      parse(...long(1500, 900), ...long(151, 990), 'x'.repeat(511)),
    );
    expect(code).toBe('too_large');
    expect(message).toBe(
      'the names of the files are 1500001 bytes in all: at most 1500000; split the job',
    );
  });

  test('FM12 10,000 files are 400 activities, in order, none lost', () => {
    expect(chunkFiles(named(10_000))).toHaveLength(400);
    expect(chunkFiles([])).toStrictEqual([]);
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 120 }), (files) => {
        const chunks = chunkFiles(files);
        expect(chunks.flat()).toStrictEqual(files);
        expect(chunks.map((chunk) => chunk.length > 0)).not.toContain(false);
        expect(chunks.slice(0, -1).filter((chunk) => chunk.length !== filesPerChunk)).toStrictEqual(
          [],
        );
      }),
    );
  });
});

/** Names made of the pieces that attacks are made of. */
const piece = fc.constantFrom(
  '..',
  '.',
  '/',
  '//',
  '\\',
  'service/',
  'input/',
  'output/',
  'cus_1',
  'cus_1/',
  'cus_10',
  'cus_2/',
  'a',
  'b.txt',
  ' ',
  '%2e',
  '\u0000',
  '\n',
  '\ud800',
  '😀',
  'é',
  '...',
);
const hostileName = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  anyText(30),
  fc.array(piece, { maxLength: 5 }).map((pieces) => inputPrefix('cus_1') + pieces.join('')),
);

describe('FM12 whatever is named', () => {
  test('FM12 an accepted file stays under its customer’s prefixes, as written and as a path', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(hostileName, { minLength: 1, maxLength: 3 }), (names) => {
        let files: string[];
        try {
          files = parse(...names);
        } catch {
          return;
        }
        accepted += 1;
        expect(files).toHaveLength(names.length);
        for (const file of files) {
          const key = inputKey('cus_1', file);
          const output = outputKey('cus_1', 'job-1', file);
          expect(key.startsWith(inputPrefix('cus_1'))).toBe(true);
          expect(posix.normalize(key)).toBe(key);
          expect(posix.normalize(output)).toBe(output);
          expect(output.startsWith(`${outputPrefix('cus_1')}job-1/`)).toBe(true);
          expect(/\p{Cs}/u.test(key)).toBe(false);
          expect(parse(key)).toStrictEqual([file]);
        }
      }),
      { numRuns: 2000 },
    );
    expect(accepted > 50).toBe(true);
  });

  test('FM3 no two jobs and no two files share an output', () => {
    const job = fc.tuple(
      fc.constantFrom('cus_1', 'cus_10', 'cus_2'),
      fc.constantFrom('job', 'job-1', 'a', 'b'),
      fc.constantFrom('a', 'b', 'a/b', 'a.gz', 'job/a', 'b/a'),
    );
    fc.assert(
      fc.property(job, job, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(outputKey(...one) === outputKey(...other)).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});

describe('FM12 an order for a job, from anyone', () => {
  const order = { processingId: 'job-1', customerId: 'cus_1', files: ['a'] };

  test('FM12 its names become relative; what it holds besides is left out', () => {
    const named = { ...order, files: ['b', 'service/input/cus_1/c'], note: 'urgent' };
    expect(parseProcessing(named)).toStrictEqual({ ...order, files: ['b', 'c'] });
  });

  test.each<[unknown, string]>([
    [undefined, 'processingId is not a text'],
    [null, 'processingId is not a text'],
    ['job-1', 'processingId is not a text'],
    [{ ...order, processingId: undefined }, 'processingId is not a text'],
    [{ ...order, processingId: ['job-1'] }, 'processingId is not a text'],
    [{ ...order, processingId: '' }, '"" is not a processing id'],
    [{ ...order, customerId: null }, 'customerId is not a text'],
    [{ ...order, customerId: 'acct_1' }, '"acct_1" is not a Stripe customer id'],
    [{ ...order, files: undefined }, 'files is not a list of names'],
    [{ ...order, files: 'a' }, 'files is not a list of names'],
    [{ ...order, files: { 0: 'a', length: 1 } }, 'files is not a list of names'],
    [{ ...order, files: ['a', null] }, 'files is not a list of names'],
    [{ ...order, files: [] }, 'the list of files is empty'],
    [{ ...order, files: ['a', 'service/input/cus_1/a'] }, '"a" is named twice'],
  ])('FM12 %j is refused: %s', (hostile, reason) => {
    const { code, message } = refusalOf(() => parseProcessing(hostile));
    expect(code).toBe('invalid_request');
    expect(message).toContain(reason);
  });

  test('FM12 whatever JSON holds is refused in words or is an order', () => {
    const holding = fc.record(
      { processingId: fc.jsonValue(), customerId: fc.jsonValue(), files: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), holding), (value) => {
        expect(refusalOf(() => parseProcessing(value)).code).toBe('invalid_request');
      }),
    );
  });
});

describe('FM17 the parts of an output', () => {
  const [mebibyte, most] = [1_048_576, 10_000];

  test.each([
    [0, 8],
    [70 * 1024 ** 3, 8],
    [80 * 1024 ** 3, 10],
    [5 * 1024 ** 4, 583],
  ])('FM17 of %i bytes of input have %i MiB', (bytes, expected) => {
    expect(partBytesOf(bytes)).toBe(expected * mebibyte);
  });

  test('FM17 hold whatever S3 stores, a tenth larger, in 10,000 parts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 * 1024 ** 4 }), (bytes) => {
        expect(Math.ceil((bytes * 1.1) / partBytesOf(bytes))).toBeLessThanOrEqual(most);
      }),
    );
  });
});
