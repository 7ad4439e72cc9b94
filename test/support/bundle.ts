/**
 * Global set-up: the programs are compiled and the workflows bundled once, and every worker of every
 * test is handed the bundle.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { CHECKOUT } from '../../dev/stack/node-process.ts';

/** These start no program and no worker. */
const pureProjects = new Set(['domain', 'house']);

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the bundled workflow code. */
    workflowBundle: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  if (project.vitest.projects.every(({ name }) => pureProjects.has(name))) return;
  const { stdout } = await promisify(execFile)(process.execPath, [
    path.join(CHECKOUT, 'dev/run.mjs'),
  ]);
  project.provide('workflowBundle', path.join(stdout.trim(), 'workflow-bundle.js'));
}
