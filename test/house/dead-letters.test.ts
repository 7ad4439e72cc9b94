/** DL9: the operator's page knows every kind of dead letter, and each command that it names exists. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { deadLetterKinds } from '../../domain/dead-letters.ts';

const read = (file: string): string =>
  readFileSync(path.join(import.meta.dirname, '../..', file), 'utf8');
const page = read('docs/operations.md');
const [, section = ''] = page.split('## Dead letters, kind by kind\n');
const [table = ''] = section.split('\n## ');
const program = createProgram();
const nouns = new Set(program.commands.map((command) => command.name()));

/** Cells of the rows, without the heading. */
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '').trim()));

const codeIn = (text: string): string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)].map(([, c = '']) => c);

/** The words of what is a command of ours, without `durabill`. */
function commandIn(code: string): string[] | undefined {
  const [first = '', ...others] = code.trim().split(/\s+/);
  const isOurs = others.length > 0 && (first === 'durabill' || nouns.has(first));
  return isOurs ? (first === 'durabill' ? others : [first, ...others]) : undefined;
}

/** For the reader to replace: ID, YYYY-MM. */
const isPlaceholder = (word: string): boolean => /^[A-Z_-]+$/.test(word);

/** What the command line would say of it, or nothing: the verb, its options, and how much it takes. */
function problemOf(words: readonly string[]): string | undefined {
  const [noun = '', ...others] = words;
  let command = program.commands.find((one) => one.name() === noun);
  if (command === undefined) return `no ${noun}`;
  let rest = others;
  const verb = command.commands.find((one) => one.name() === rest[0]);
  if (command.commands.length > 0) {
    if (verb === undefined) return `no verb ${rest[0]}`;
    [command, rest] = [verb, rest.slice(1)];
  }
  const places: string[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at] ?? '';
    if (!word.startsWith('--')) {
      places.push(word);
      continue;
    }
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) return `no option ${word}`;
    if (option.required) {
      at += 1;
      if (rest[at] === undefined) return `${word} without a value`;
      const value = rest[at] ?? '';
      const { argChoices: choices } = option;
      const isChosen = choices === undefined || choices.includes(value) || isPlaceholder(value);
      if (!isChosen) return `no ${value}`;
    }
  }
  const wanted = command.registeredArguments;
  const least = wanted.filter(({ required }) => required).length;
  return places.length < least || places.length > wanted.length ? 'too much or little' : undefined;
}

describe('DL9 the dead letters of docs/operations.md', () => {
  test.each([...deadLetterKinds])('DL9 %s: what it says, what happened, what ends it', (kind) => {
    const mine = rows.filter(([first]) => first === `\`${kind}\``);
    expect(mine.length).toBeGreaterThan(0);
    for (const row of mine) {
      expect(row).toHaveLength(4);
      expect(row.filter((cell) => cell.length < 10 && cell !== row[0])).toEqual([]);
      const commands = codeIn(row[3] ?? '').flatMap((code) => [commandIn(code)?.[0] ?? []].flat());
      expect(commands.length).toBeGreaterThan(0);
    }
  });

  test('DL9 no row is of a kind that the code does not have', () => {
    const kinds: readonly string[] = deadLetterKinds.map((kind) => `\`${kind}\``);
    expect(rows.filter(([kind = '']) => !kinds.includes(kind))).toEqual([]);
  });
});

describe('the commands of docs/operations.md', () => {
  const lines = page.split('\n').filter((line) => line.startsWith('durabill '));
  const blocks = lines.map((line) => line.split(/\s{2,}/)[0] ?? '');
  const commands = [...codeIn(page), ...blocks].flatMap((code) => {
    const words = commandIn(code);
    return words === undefined ? [] : [{ code, words }];
  });

  test('all of them exist', () => {
    expect(commands.length).toBeGreaterThan(40);
    const wrong = commands.map(({ code, words }) => ({ code, problem: problemOf(words) }));
    expect(wrong.filter(({ problem }) => problem !== undefined)).toEqual([]);
  });

  test.each(['README.md', 'deploy/prometheus/alerts.yml', 'domain/alerts.ts'])(
    'so do those of %s',
    (file) => {
      const named = [
        ...read(file).matchAll(/\bdurabill (?:-- )?([a-z][a-z-]*)(?: ([a-z][a-z-]*))?/g),
      ];
      const known = named.filter(([, noun = '', verb]) => {
        const command = program.commands.find((one) => one.name() === noun);
        const verbs = command?.commands.map((one) => one.name()) ?? [];
        return command !== undefined && (verbs.length === 0 || verbs.includes(verb ?? ''));
      });
      expect(named.length).toBeGreaterThan(0);
      expect(known.map(([all]) => all)).toEqual(named.map(([all]) => all));
    },
  );

  test.each([
    ['dead-letters retry ID', 'no verb retry'],
    ['dead-letters redrive ID --force', 'no option --force'],
    ['usage settle ID --as gone --reason TEXT', 'no gone'],
    ['usage settle --resend --reason TEXT', 'too much or little'],
    ['dead-letters discard ID --reason', '--reason without a value'],
  ])('one that does not exist is found: %s', (code, problem) => {
    expect(problemOf(commandIn(code) ?? [])).toBe(problem);
  });
});
