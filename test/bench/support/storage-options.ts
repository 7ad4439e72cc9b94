import { InvalidArgumentError } from 'commander';

/** "100,1000" */
export function toSizes(text: string): number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.length === 0 || sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new InvalidArgumentError('whole numbers, such as 100,1000');
  }
  return sizes.toSorted((one, other) => one - other);
}

export function toCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('a whole number, 1 or more');
  }
  return value;
}
