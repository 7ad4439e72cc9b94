/**
 * Many who ask for the same row at once, such as a flood that is refused, share reads: whoever comes while
 * one is under way is answered by the next. Each answer is of a read that began after it was asked for, so
 * nobody sees a row older than a read of its own would have shown.
 */
export function shareReads<Value>(
  read: (key: string) => Promise<Value>,
): (key: string) => Promise<Value> {
  /** By key: resolves when the read that is under way has ended, however it ended. */
  const underWay = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<Value>>();

  const begin = async (key: string): Promise<Value> => {
    next.delete(key);
    const reading = read(key);
    const ended = reading
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        underWay.delete(key);
      });
    underWay.set(key, ended);
    return await reading;
  };

  return async (key) => {
    const current = underWay.get(key);
    if (current === undefined) return await begin(key);
    const known = next.get(key);
    if (known !== undefined) return await known;
    const following = current.then(async () => await begin(key));
    next.set(key, following);
    return await following;
  };
}
