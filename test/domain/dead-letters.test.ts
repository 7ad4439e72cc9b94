import { expect, test } from 'vitest';
import { parseDiscardReason } from '../../domain/dead-letters.ts';

test.each([
  ['refunded', 'refunded'],
  ['  of a test \n', 'of a test'],
  ['返金済み 🙂', '返金済み 🙂'],
  ['x'.repeat(500), 'x'.repeat(500)],
  [` ${'x'.repeat(500)} `, 'x'.repeat(500)],
])('WH7 the reason %j is kept', (given, kept) => {
  expect(parseDiscardReason(given)).toBe(kept);
});

test.each(['', '  ', '\n', 'x'.repeat(501), 'two\nlines', 'a\u0000b', 'a\u001bb', 'a\u2028b'])(
  'WH7 %j is no reason',
  (given) => {
    expect(() => parseDiscardReason(given)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  },
);
