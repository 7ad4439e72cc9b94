import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BillingError } from '../../domain/errors.ts';
import { withProgress } from './progress.ts';
import { requireReachable } from './reach.ts';
import type { BuildContext, ToolBuilder } from './types.ts';

const DOWNLOAD_TIMEOUT_MS = 3 * 60_000;
/** Where the SDK fetches it from. */
const DOWNLOAD_HOST = 'https://temporal.download';

/**
 * The Temporal CLI (server and UI in one) as the SDK's test package downloads it: the way for a
 * machine that has internet but no Go. The SDK only downloads in order to start, so it starts once.
 */
export function temporalCliDownload(): ToolBuilder {
  return {
    description: "downloaded as the temporal CLI by Temporal's SDK (temporal.download, internet)",
    progress: 'downloading the temporal CLI with the SDK (about 1 minute)',
    async build(context) {
      await withProgress(context.report, this.progress, async () => {
        await requireReachable(DOWNLOAD_HOST);
        const cancelled = new AbortController();
        const tooLong = sleep(DOWNLOAD_TIMEOUT_MS, undefined, { signal: cancelled.signal }).then(
          () => {
            throw new BillingError('unavailable', 'the download took longer than 3 minutes');
          },
        );
        try {
          await Promise.race([startOnce(context), tooLong]);
        } finally {
          cancelled.abort();
          await tooLong.catch(() => undefined);
        }
      });
      const [downloaded] = await readdir(context.directory);
      if (downloaded === undefined)
        throw new BillingError('unavailable', 'the SDK downloaded nothing');
      await rename(
        path.join(context.directory, downloaded),
        path.join(context.directory, 'temporal'),
      );
    },
  };
}

async function startOnce(context: BuildContext): Promise<void> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', downloadDir: context.directory, version: 'default' },
    },
  });
  await environment.teardown();
}
