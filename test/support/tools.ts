/**
 * Global set-up: every tool that tests start is there before the first of them, however long building
 * takes; a hook with a time limit never waits for a compiler. One that cannot be had is said, and the
 * tests that need it fail.
 */
import type { TestProject } from 'vitest/node';
import { throttleProgress } from '../../dev/tools/progress.ts';
import { resolveTool } from '../../dev/tools/resolve.ts';
import { TOOL_VERSIONS } from '../../dev/tools/versions.ts';
import type { ToolName } from '../../dev/tools/versions.ts';

/** These start no server. */
const projectsWithoutTools = new Set(['domain', 'house', 'replay', 'stripe-double']);
const progressEveryMs = 15_000;

export async function setup(project: TestProject): Promise<void> {
  if (project.vitest.projects.every(({ name }) => projectsWithoutTools.has(name))) return;
  const report = throttleProgress((line) => {
    process.stderr.write(`${line}\n`);
  }, progressEveryMs);
  const names = Object.keys(TOOL_VERSIONS) as ToolName[];
  await Promise.all(
    names.map(async (name) => {
      await resolveTool(name, { report }).catch((error: unknown) => {
        report(String(error));
      });
    }),
  );
}
