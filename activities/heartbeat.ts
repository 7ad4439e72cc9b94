/**
 * The heartbeat of long activities: it tells that the process is alive, and not that the work advances
 * (FM13). A part that uploads for a minute, a read that stands still and a retry that waits are no death.
 */
import { Context } from '@temporalio/activity';

/** Beats within one heartbeat timeout: several may come late before the activity is believed dead. */
const beatsPerTimeout = 10;
/** A cancellation is heard of in the answer to a beat, so they are never far apart. */
const longestPauseMs = 2000;

/**
 * Runs `work` and beats beside it until it ends, with the details of that moment: where the successor of
 * a killed worker goes on from. `work` is waited for even when the activity is cancelled, for it may still
 * write; it stops by the signal. Then it ends as cancelled, in whatever error the stopping showed itself.
 */
export async function withHeartbeat<Result>(
  work: (cancelled: AbortSignal) => Promise<Result>,
  details: () => unknown = () => undefined,
): Promise<Result> {
  const context = Context.current();
  const { heartbeatTimeoutMs = Infinity } = context.info;
  const beat = (): void => {
    context.heartbeat(details());
  };
  const beating = setInterval(beat, Math.min(longestPauseMs, heartbeatTimeoutMs / beatsPerTimeout));
  try {
    return await work(context.cancellationSignal);
  } catch (error) {
    context.cancellationSignal.throwIfAborted();
    // The last beat of a failed attempt reaches the server: the next one goes on from here.
    beat();
    throw error;
  } finally {
    clearInterval(beating);
  }
}
