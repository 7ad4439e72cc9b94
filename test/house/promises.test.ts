/** `docs/promises.md` is true: what tests prove stands there, and what stands there is proven by tests. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const page = 'docs/promises.md';
const own = 'test/house/promises.test.ts';
const notYet = 'not yet';

const code = '(?:FM|SB|WH|DL|GA|SU|CL|EX|CO|RC|SH|PR|OP)[1-9][0-9]?|I(?:1[01]|[1-9])';
const codes = new RegExp(`(?<![\\w$])(?:${code})(?![\\w-])`, 'g');

interface Promised {
  code: string;
  proofs: { file: string; title: string }[];
  isProven: boolean;
}

/** What a test file says, without its comments: these may speak of what is not there yet. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
}

function readRows(text: string): Promised[] {
  const rows = text.matchAll(new RegExp(`^\\| (${code}) +\\| (.+?) +\\| (.+?) +\\|$`, 'gm'));
  return [...rows].map(([, named = '', , proof = '']) => ({
    code: named,
    isProven: proof !== notYet,
    proofs: [...proof.matchAll(/`([^`]+)` › (.+?)(?:<br>|$)/g)].map(
      ([, file = '', title = '']) => ({ file, title }),
    ),
  }));
}

/** Everything that is wrong, in words that say what to do. */
function findFaults(rows: readonly Promised[], tests: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const naming = new Map<string, string>();
  for (const [file, text] of tests) {
    for (const [named] of withoutComments(text).matchAll(codes)) {
      if (!naming.has(named)) naming.set(named, file);
    }
  }
  for (const [named, file] of naming) {
    const row = rows.find((promised) => promised.code === named);
    if (row === undefined) faults.push(`${file} names ${named}: give it a row in ${page}`);
    else if (!row.isProven) {
      faults.push(
        `${file} names ${named}, and ${page} says "${notYet}": ` +
          `put \`${file}\` › the test’s name into its row`,
      );
    }
  }
  for (const { code: named, isProven, proofs } of rows) {
    if (rows.filter((row) => row.code === named).length > 1) faults.push(`${named} has two rows`);
    if (isProven && proofs.length === 0) {
      faults.push(`${named}: its row names no test as \`file\` › name, nor "${notYet}"`);
    }
    for (const { file, title } of proofs) {
      const text = tests.get(file);
      const said = text === undefined ? '' : withoutComments(text);
      if (text === undefined) faults.push(`${named}: ${file} does not exist`);
      else if (!title.match(codes)?.includes(named)) {
        faults.push(`${named}: the test "${title}" does not name it`);
      } else if (!said.includes(title)) faults.push(`${named}: ${file} has no test "${title}"`);
    }
  }
  return faults;
}

function readTests(): Map<string, string> {
  const files = ['test', 'stripe-double/test'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
      .map((name) => `${folder}/${name}`),
  );
  return new Map(
    files
      .filter((file) => file !== own)
      .map((file) => [file, readFileSync(path.join(root, file), 'utf8')]),
  );
}

describe('the page of promises', () => {
  const rows = readRows(readFileSync(path.join(root, page), 'utf8'));
  const tests = readTests();

  test('every row was read', () => {
    const text = readFileSync(path.join(root, page), 'utf8');
    const lines = text.split('\n').filter((line) => /^\| [A-Z]+[0-9]/.test(line));
    expect(rows.map((row) => row.code)).toStrictEqual(lines.map((line) => line.split(' ')[1]));
    expect(rows.length).toBeGreaterThan(150);
  });

  test('what tests name stands in it, with a test that is there and names it', () => {
    expect(findFaults(rows, tests)).toStrictEqual([]);
  });
});

describe('what it would find', () => {
  const titles = "test('FM8 twice is once', …);\n  // FM9 is not here yet\ntest('FM16-like', …);";
  const tests = new Map([['test/a.test.ts', titles]]);
  const faultsOf = (...lines: string[]) => findFaults(readRows(lines.join('\n')), tests);
  const proven = '| FM8 | Twice is once. | `test/a.test.ts` › FM8 twice is once |';

  test.each([
    ['nothing', [proven, '| FM9 | Zero. | not yet |'], []],
    ['a code without a row', [], ['test/a.test.ts names FM8: give it a row in docs/promises.md']],
    [
      'a row that was forgotten',
      ['| FM8 | Twice is once. | not yet |'],
      [
        'test/a.test.ts names FM8, and docs/promises.md says "not yet": ' +
          'put `test/a.test.ts` › the test’s name into its row',
      ],
    ],
    [
      'a file that is gone',
      [proven, '| FM9 | Zero. | `test/b.test.ts` › FM9 zero |'],
      ['FM9: test/b.test.ts does not exist'],
    ],
    [
      'a test that is gone',
      [proven, '| FM9 | Zero. | `test/a.test.ts` › FM9 zero |'],
      ['FM9: test/a.test.ts has no test "FM9 zero"'],
    ],
    [
      'a test of another promise',
      [proven, '| FM9 | Zero. | `test/a.test.ts` › FM8 twice is once |'],
      ['FM9: the test "FM8 twice is once" does not name it'],
    ],
    [
      'a row that names a test by half',
      [proven, '| FM9 | Zero. | the usual one |'],
      ['FM9: its row names no test as `file` › name, nor "not yet"'],
    ],
    ['two rows', [proven, proven], ['FM8 has two rows', 'FM8 has two rows']],
  ])('%s', (_name, lines, faults) => {
    expect(faultsOf(...lines)).toStrictEqual(faults);
  });
});
