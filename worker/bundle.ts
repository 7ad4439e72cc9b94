/** Bundles the workflow code. Production does it once, ahead (`npm run build`), with the same SDK. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';

const sources = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

export async function bundleWorkflows(
  workflowsPath = sources,
): Promise<WorkflowBundleWithSourceMap> {
  return await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
}

/** Writes the bundle for `WORKFLOW_BUNDLE`. */
export async function writeBundle(path: string, workflowsPath?: string): Promise<void> {
  const { code } = await bundleWorkflows(workflowsPath);
  await writeFile(path, code);
}
