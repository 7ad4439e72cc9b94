import { describe, expect, test } from 'vitest';
import { lengthen, lifeLine } from '../../domain/life.ts';
import type { Life } from '../../domain/life.ts';
import { noon } from './support.ts';

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => lifeLine(noon, `line ${from + index}`));

describe('DL12 a life is bounded', () => {
  test('DL12 fifty lines are kept as they are', () => {
    let life: Life = { life: [] };
    for (const line of lines(0, 50)) life = lengthen(life, line);
    expect(life).toStrictEqual({ life: lines(0, 50) });
  });

  test('DL12 then the first ten and the newest forty, and how many are left out', () => {
    let life: Life = { life: [] };
    for (const line of lines(0, 1500)) life = lengthen(life, line);
    expect(life).toStrictEqual({
      life: [...lines(0, 10), ...lines(1460, 1500)],
      lifeLeftOut: 1450,
    });
  });

  test('DL12 one that has grown to 1,483 lines is made short at once', () => {
    const [next] = lines(1483, 1484);
    if (next === undefined) throw new Error('no line');
    expect(lengthen({ life: lines(0, 1483) }, next)).toStrictEqual({
      life: [...lines(0, 10), ...lines(1444, 1484)],
      lifeLeftOut: 1434,
    });
  });

  test('DL12 a line is short', () => {
    expect(lifeLine(noon, 'x'.repeat(1000)).what).toHaveLength(240);
  });
});
