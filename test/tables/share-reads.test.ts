/** Many who ask for one row at once, with a store that answers when the test says. */
import { expect, test } from 'vitest';
import { shareReads } from '../../tables/share-reads.ts';

/** Each read answers with its number, once it is let go. */
function heldReads() {
  const begun: { key: string; letGo: () => void; fail: (cause: Error) => void }[] = [];
  const read = shareReads(
    async (key: string) =>
      await new Promise<string>((resolve, reject) => {
        const number = begun.length + 1;
        const letGo = (): void => {
          resolve(`${key} by read ${number}`);
        };
        begun.push({ key, letGo, fail: reject });
      }),
  );
  const settle = async (): Promise<void> => {
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, read, settle };
}

test('GA1 whoever asks while a read is under way is answered by the next one, together', async () => {
  const { begun, read, settle } = heldReads();
  const first = read('a');
  const later = [read('a'), read('a'), read('a')];
  await settle();
  expect(begun.length, 'the second begins when the first has ended').toBe(1);
  begun[0]?.letGo();
  expect(await first).toBe('a by read 1');
  await settle();
  const last = read('a');
  expect(begun.length, 'one for the three').toBe(2);
  begun[1]?.letGo();
  expect(await Promise.all(later)).toEqual(Array.from({ length: 3 }, () => 'a by read 2'));
  await settle();
  begun[2]?.letGo();
  expect(await last, 'asked after the second began').toBe('a by read 3');
  const alone = read('a');
  begun[3]?.letGo();
  expect(await alone).toBe('a by read 4');
});

test('GA1 rows are apart, and a read that fails fails for its own callers only', async () => {
  const { begun, read, settle } = heldReads();
  const broken = read('a');
  const behind = read('a');
  const other = read('b');
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b']);
  begun[1]?.letGo();
  expect(await other).toBe('b by read 2');
  begun[0]?.fail(new Error('the store is away'));
  await expect(broken).rejects.toThrow('the store is away');
  await settle();
  begun[2]?.letGo();
  expect(await behind).toBe('a by read 3');
});
