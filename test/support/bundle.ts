/** Global set-up: the workflows are bundled once, and every worker of every test is handed the bundle. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { writeBundle } from '../../worker/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the bundled workflow code. */
    workflowBundle: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'durabill-bundle-'));
  const file = path.join(folder, 'workflows.js');
  await writeBundle(file);
  project.provide('workflowBundle', file);
  return async () => {
    await rm(folder, { recursive: true, force: true });
  };
}
