import type { Info } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';
import { withHeartbeat } from '../../activities/heartbeat.ts';

/** An activity's surroundings, and the details of every beat so far. */
function surroundings(info: Partial<Info> = {}) {
  const logger = new DefaultLogger('ERROR');
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 100, ...info }, { logger });
  const beats: unknown[] = [];
  const beaten = async (count: number): Promise<void> => {
    while (beats.length < count) {
      await new Promise((resolve) => environment.once('heartbeat', resolve));
    }
  };
  environment.on('heartbeat', (details) => beats.push(details));
  return { environment, beats, beaten };
}

describe('FM13 the heartbeat', () => {
  test('goes on while the work stands still, until the work ends', async () => {
    const { environment, beaten } = surroundings();
    let underWay = 0;
    const work = async (): Promise<string> => {
      underWay += 1;
      // Nothing of the work itself moves: only beats end this waiting.
      await beaten(25);
      underWay -= 1;
      return 'done';
    };
    expect(await environment.run(async () => await withHeartbeat(work))).toBe('done');
    expect(underWay).toBe(0);
  });

  test('tells where the work stands at the moment of the beat', async () => {
    const { environment, beats, beaten } = surroundings();
    let position = 'first';
    await environment.run(
      async () =>
        await withHeartbeat(
          async () => {
            await beaten(1);
            position = 'second';
            const before = beats.length;
            await beaten(before + 1);
          },
          () => ({ position }),
        ),
    );
    expect(beats[0]).toEqual({ position: 'first' });
    expect(beats.at(-1)).toEqual({ position: 'second' });
  });

  test('leaves the last position of an attempt that failed', async () => {
    // With a timeout so long no beat falls due of itself.
    const { environment, beats } = surroundings({ heartbeatTimeoutMs: 3_600_000 });
    const failing = environment.run(
      async () =>
        await withHeartbeat(
          async () => await Promise.reject(new Error('the store is down')),
          () => 'where it failed',
        ),
    );
    await expect(failing).rejects.toThrow('the store is down');
    expect(beats).toEqual(['where it failed']);
  });

  test('ends with the work: nothing beats afterwards', async () => {
    const { environment, beats, beaten } = surroundings();
    await environment.run(
      async () =>
        await withHeartbeat(
          async () => await beaten(1),
          () => 'first',
        ),
    );
    const afterFirst = beats.length;
    // A second activity's beats are the clock: had the first gone on, its own would be among them.
    await environment.run(
      async () =>
        await withHeartbeat(
          async () => await beaten(afterFirst + 20),
          () => 'second',
        ),
    );
    expect(new Set(beats.slice(afterFirst))).toEqual(new Set(['second']));
  });

  test('a cancelled activity waits for its work, and ends as cancelled', async () => {
    const { environment } = surroundings();
    const [told, ending] = [withResolvers(), withResolvers()];
    const steps: string[] = [];
    const work = async (cancelled: AbortSignal): Promise<void> => {
      cancelled.addEventListener('abort', told.resolve);
      environment.cancel();
      await told.promise;
      steps.push('told');
      await ending.promise;
      steps.push('work ended');
      // Streams and SDKs end in errors of their own when they are stopped.
      throw new Error('Premature close');
    };
    const running = environment
      .run(async () => await withHeartbeat(work))
      .finally(() => steps.push('activity ended'));
    const outcome = running.catch((error: unknown) => error);
    await told.promise;
    await new Promise(setImmediate);
    expect(steps).toEqual(['told']);
    ending.resolve();
    expect(await outcome).toBeInstanceOf(CancelledFailure);
    expect(steps).toEqual(['told', 'work ended', 'activity ended']);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
