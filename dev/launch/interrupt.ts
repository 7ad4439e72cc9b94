/** npm passes the terminal's Ctrl-C on once more; that echo is not a second one. */
const ECHO_MS = 500;

/**
 * The first Ctrl-C (or SIGTERM, or the terminal closing) aborts the returned signal; the next one
 * calls `onSecond`, which is expected to end the process at once.
 */
export function listenForInterrupt(onFirst: () => void, onSecond: () => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      onFirst();
      controller.abort(new Error('interrupted'));
    } else if (performance.now() - firstAt > ECHO_MS) {
      onSecond();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return controller.signal;
}
