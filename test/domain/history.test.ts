import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostEntries, planHistory } from '../../domain/history.ts';
import { iso, noonMs } from './support.ts';

type History = Record<string, { at: string }>;
const at = (second: number) => ({ at: iso(noonMs + second * 1000) });

function add(history: History, key: string, entry: { at: string }, most?: number): History {
  const plan = planHistory(history, key, entry, most);
  const kept = Object.entries(history).filter(([name]) => !plan.remove.includes(name));
  return Object.fromEntries(plan.add ? [...kept, [key, entry]] : kept);
}

const full = Object.fromEntries(
  Array.from({ length: mostEntries }, (_, second) => [`evt_${second}`, at(second)]),
);

describe('WH3 WH4 a row’s history', () => {
  test.each([
    ['the first entry', {}, 'evt_1', at(1), { add: true, remove: [] }],
    ['another one', { evt_1: at(1) }, 'evt_2', at(0), { add: true, remove: [] }],
    ['the same again', { evt_1: at(1) }, 'evt_1', at(1), { add: false, remove: [] }],
    ['the same again, told later', { evt_1: at(1) }, 'evt_1', at(9), { add: false, remove: [] }],
    ['the same again, of a full one', full, 'evt_0', at(0), { add: false, remove: [] }],
    ['a newer one than a full one has', full, 'evt_x', at(200), { add: true, remove: ['evt_0'] }],
    ['one from the middle', full, 'evt_x', at(50), { add: true, remove: ['evt_0'] }],
    ['an older one than a full one has', full, 'evt_x', at(-1), { add: false, remove: [] }],
    ['a tie with the oldest, a name before it', full, 'evt_', at(0), { add: false, remove: [] }],
    ['a tie with the oldest', full, 'evt_00', at(0), { add: true, remove: ['evt_0'] }],
    ['a name of the prototype', {}, 'constructor', at(0), { add: true, remove: [] }],
  ])('%s', (_what, history: History, key, entry, plan) => {
    expect(planHistory(history, key, entry)).toStrictEqual(plan);
  });

  test('one that is too long already becomes as long as it may be', () => {
    const longer = { ...full, evt_a: at(-1), evt_b: at(-2) };
    expect(planHistory(longer, 'evt_x', at(200))).toStrictEqual({
      add: true,
      remove: ['evt_b', 'evt_a', 'evt_0'],
    });
  });

  test('WH4 the newest of all that ever came, in any order and however often', () => {
    const entries = fc.uniqueArray(
      fc.tuple(
        fc.integer({ min: 0, max: 99 }).map((n) => `evt_${n}`),
        fc.integer({ min: 0, max: 9 }),
      ),
      { selector: ([key]) => key, minLength: 1, maxLength: 25 },
    );
    const arrivals = entries.chain((all) =>
      fc.record({
        all: fc.constant(all),
        order: fc.array(fc.constantFrom(...all), { maxLength: 40 }),
      }),
    );
    const check = fc.check(
      fc.property(arrivals, fc.integer({ min: 1, max: 12 }), ({ all, order }, most) => {
        // In that order, with repeats; and then all of them once more, as a catch-up would bring them.
        let history: History = {};
        for (const [key, second] of [...order, ...all]) {
          history = add(history, key, at(second), most);
          if (Object.keys(history).length > most) return false;
        }
        const newest = all
          .toSorted(([key, second], [other, its]) => its - second || (other < key ? -1 : 1))
          .slice(0, most)
          .map(([key]) => key);
        return (
          JSON.stringify(Object.keys(history).toSorted()) === JSON.stringify(newest.toSorted())
        );
      }),
      { numRuns: 3000 },
    );
    expect(check.counterexample).toBeNull();
  });
});
