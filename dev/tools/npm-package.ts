import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { definedOnly } from './build-go.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import type { ToolBuilder } from './types.ts';

const NPM_TIMEOUT_MS = 5 * 60_000;
const NPM_ARGUMENTS = 'install --ignore-scripts --no-audit --no-fund --save-exact --loglevel=error';

/**
 * A builder that installs a program of npm into the tool's own folder, beside packages that it needs in
 * versions that ours are not (`beside`, such as `typescript@5.9.3`), and a script that starts it there.
 */
export function npmPackage(options: {
  package: string;
  version: string;
  beside: readonly string[];
  /** The package's own script, by its path in the package. */
  script: string;
  binary: string;
}): ToolBuilder {
  const wanted = `${options.package}@${options.version}`;
  return {
    description: `installed from npm as ${wanted} into its own folder (npm on PATH)`,
    progress: `fetching ${wanted} from npm (about 5 seconds)`,
    async build(context) {
      await withProgress(context.report, this.progress, async () => {
        // A manifest here, or npm installs into the first one that it finds above.
        await writeFile(path.join(context.directory, 'package.json'), '{ "private": true }\n');
        await runCommand({
          command: 'npm',
          args: [...NPM_ARGUMENTS.split(' '), wanted, ...options.beside],
          cwd: context.directory,
          env: definedOnly(context.environment),
          timeoutMs: NPM_TIMEOUT_MS,
          ...(context.signal === undefined ? {} : { signal: context.signal }),
        });
      });
      const program = path.join(context.directory, options.binary);
      const script = `node_modules/${options.package}/${options.script}`;
      await writeFile(program, scriptText(script), { mode: 0o755 });
    },
  };
}

function scriptText(script: string): string {
  return `#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
exec node "$here/${script}" "$@"
`;
}
