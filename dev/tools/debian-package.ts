import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import { definedOnly } from './build-go.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import type { BuildContext, ToolBuilder } from './types.ts';

const APT_TIMEOUT_MS = 3 * 60_000;

/**
 * A builder that takes a program out of a package of Debian, or of what is made from it, and installs
 * nothing: apt's lists are fetched into the builder's own folder, so nobody need be root, and apt checks
 * their signatures and the package's sum. The version is the one that the distribution has.
 */
export function debianPackage(options: {
  label: string;
  package: string;
  /** The program inside the package. */
  file: string;
  binary: string;
}): ToolBuilder {
  const name = options.package;
  return {
    description: `the Debian package ${name}, unpacked and not installed (apt-get and dpkg-deb on PATH)`,
    progress: `fetching ${options.label} out of the Debian package ${name} (about 20 seconds)`,
    async build(context) {
      await withProgress(context.report, this.progress, async () => {
        const scratch = path.join(context.directory, 'debian');
        await mkdir(path.join(scratch, 'lists/partial'), { recursive: true });
        await mkdir(path.join(scratch, 'cache/archives/partial'), { recursive: true });
        await apt(context, scratch, ['update']);
        await apt(context, scratch, ['download', name]);
        const archive = (await readdir(scratch)).find((file) => file.endsWith('.deb'));
        if (archive === undefined) throw new BillingError('unavailable', 'apt downloaded nothing');
        await run(context, scratch, 'dpkg-deb', ['-x', archive, 'unpacked']);
        await rename(
          path.join(scratch, 'unpacked', options.file),
          path.join(context.directory, options.binary),
        );
        await rm(scratch, { recursive: true });
      });
    },
  };
}

async function apt(context: BuildContext, scratch: string, args: string[]): Promise<void> {
  const own = [
    `Dir::State::lists=${path.join(scratch, 'lists')}`,
    `Dir::Cache=${path.join(scratch, 'cache')}`,
    // As root, apt would fetch as a user who may not write here.
    'APT::Sandbox::User=root',
  ];
  const settings = own.flatMap((setting) => ['-o', setting]);
  await run(context, scratch, 'apt-get', ['-q', ...settings, ...args]);
}

async function run(
  context: BuildContext,
  cwd: string,
  command: string,
  args: string[],
): Promise<void> {
  await runCommand({
    command,
    args,
    cwd,
    env: definedOnly(context.environment),
    timeoutMs: APT_TIMEOUT_MS,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
}
