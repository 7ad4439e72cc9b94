import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { developmentEnvironment } from '../../../dev/environment.ts';
import { resolveTool } from '../../../dev/tools/resolve.ts';

/** Java refuses to start at all, with `-Xshare:on`, when the archive is not of this Java and these classes. */
test('the test server of Temporal starts from an archive of its classes', async () => {
  // Not one that the caller brings.
  const { DURABILL_TEMPORAL_TEST_SERVER: _, ...environment } = developmentEnvironment();
  const { command } = await resolveTool('temporal-test-server', { environment });
  const start = promisify(execFile);
  const startWith = async (classPath: string) =>
    await start(
      'java',
      ['-XX:SharedArchiveFile=classes.jsa', '-Xshare:on', '-cp', classPath, '-version'],
      { cwd: path.dirname(command) },
    );
  await expect(startWith('lib/*')).resolves.toMatchObject({
    stderr: expect.stringContaining('Runtime') as string,
  });
  await expect(startWith('lib')).rejects.toThrow('shared class paths mismatch');
});
