import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import { isExecutable } from './find.ts';
import { withProgress } from './progress.ts';
import type { BuildContext, Report, ToolDefinition } from './types.ts';

const LOCK_STALE_MS = 20_000;
const LOCK_UPDATE_MS = 4_000;
const LOCK_POLL_MS = 250;
const LOCK_WAIT_MS = 25 * 60_000;

/** Where tools are kept: outside any checkout, so that a second clone builds nothing. */
export function toolsFolder(environment: Environment): string {
  const explicit = environment['DURABILL_TOOLS'];
  if (explicit !== undefined && explicit !== '') return path.resolve(explicit);
  return path.join(os.homedir(), '.cache', 'durabill', 'tools');
}

function finalFolder(definition: ToolDefinition, environment: Environment): string {
  const version = `${definition.version}-${process.platform}-${process.arch}`;
  return path.join(toolsFolder(environment), definition.name, version);
}

/** The tool's cached binary, if an earlier build finished. */
export async function findInCache(
  definition: ToolDefinition,
  environment: Environment,
): Promise<string | undefined> {
  return await findBinary(definition, finalFolder(definition, environment));
}

async function findBinary(definition: ToolDefinition, folder: string): Promise<string | undefined> {
  for (const name of definition.binaries) {
    const file = path.join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/**
 * Makes the tool in a folder of its own and moves it into place in one step, so nobody ever sees half
 * of it. Only one process builds a tool at a time; the others wait and take what it built.
 */
export async function makeInCache(
  definition: ToolDefinition,
  context: Omit<BuildContext, 'directory'>,
  build: (context: BuildContext) => Promise<void>,
): Promise<string> {
  const target = finalFolder(definition, context.environment);
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  const release = await lockFolder(folder, definition, context);
  try {
    const already = await findInCache(definition, context.environment);
    if (already !== undefined) return already;
    await removeTornBuilds(folder);
    const directory = await mkdtemp(path.join(folder, `.building-${process.pid}-`));
    try {
      await build({ ...context, directory });
      const built = await findBinary(definition, directory);
      if (built === undefined) {
        const expected = definition.binaries.join(' or ');
        throw new BillingError(
          'unavailable',
          `the build of ${definition.name} left no ${expected}`,
        );
      }
      await rm(target, { recursive: true, force: true });
      await rename(directory, target);
      return path.join(target, path.basename(built));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
}

/** The lock of a builder that crashed goes stale after 20 s and is then taken over. */
async function lockFolder(
  folder: string,
  definition: ToolDefinition,
  context: { report: Report; signal?: AbortSignal },
): Promise<() => Promise<void>> {
  const first = await tryLock(folder);
  if (first !== undefined) return first;
  const deadline = performance.now() + LOCK_WAIT_MS;
  const label = `waiting for another process that is building ${definition.name}`;
  return await withProgress(context.report, label, async () => {
    while (performance.now() < deadline) {
      context.signal?.throwIfAborted();
      await sleep(LOCK_POLL_MS);
      const release = await tryLock(folder);
      if (release !== undefined) return release;
    }
    throw new BillingError('unavailable', `another process holds ${folder}.lock for too long`);
  });
}

async function tryLock(folder: string): Promise<(() => Promise<void>) | undefined> {
  try {
    const release = await lockfile.lock(folder, {
      stale: LOCK_STALE_MS,
      update: LOCK_UPDATE_MS,
      // Losing the lock (a suspended laptop) is harmless: folders are unique and moved in one step.
      onCompromised: () => undefined,
    });
    // A lock that was lost has nothing to release.
    return async () => await release().catch(() => undefined);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined;
    throw error;
  }
}

/** What a builder left that crashed in the middle. A living builder's folder stays. */
async function removeTornBuilds(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^\.building-(\d+)-/.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid))
      await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
