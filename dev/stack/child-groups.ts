/** The children of this process that live; each leads a process group. */
const living = new Set<number>();
const SIGTERM_EXIT_CODE = 143;
let isWatching = false;
let endOnSigterm = true;

/**
 * Whatever ends this process, but for SIGKILL, ends this child too. A test runner ends its processes
 * by SIGTERM, and a test that failed has stopped nothing.
 */
export function endWithThisProcess(pid: number, exited: Promise<unknown>): void {
  living.add(pid);
  void exited.then(() => living.delete(pid));
  if (isWatching) return;
  isWatching = true;
  process.once('exit', endAll);
  process.once('SIGTERM', () => {
    if (!endOnSigterm) return;
    endAll();
    // Having a listener took the signal's meaning away; this gives it back.
    process.exit(SIGTERM_EXIT_CODE);
  });
}

/** For a launcher that stops its children itself, in order, when it is told to stop. */
export function leaveSignalsToCaller(): void {
  endOnSigterm = false;
}

/** SIGKILL to a child and all that it started. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function endAll(): void {
  for (const pid of living) killGroup(pid);
}
