/** Folders whose rules are not obvious say what must stay true, briefly; so does the guide of the house. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const linesOf = (file: string): number => read(file).trimEnd().split('\n').length;

test.each(['domain', 'workflows', 'activities', 'tables'])(
  '%s/README.md says what must stay true, in under 30 lines',
  (folder) => {
    const file = `${folder}/README.md`;
    expect(read(file)).toContain('## What must stay true\n\n- ');
    expect(linesOf(file)).toBeLessThan(30);
  },
);

test('AGENTS.md has at most 120 lines, and CLAUDE.md is nothing but it', () => {
  expect(linesOf('AGENTS.md')).toBeLessThanOrEqual(120);
  expect(read('CLAUDE.md').trim()).toBe('@AGENTS.md');
});
