import { rename } from 'node:fs/promises';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import type { BuildContext, ToolBuilder } from './types.ts';
import { MINIMUM_GO_VERSION } from './versions.ts';

const GO_VERSION_TIMEOUT_MS = 15_000;
const GO_INSTALL_TIMEOUT_MS = 20 * 60_000;

/** A builder that installs a program of a Go module; `binary` is what the cached file is called. */
export function goModule(options: {
  label: string;
  program: string;
  version: string;
  binary: string;
  takes: string;
}): ToolBuilder {
  const source = `${options.program}@v${options.version}`;
  return {
    description: `built by \`go install ${source}\` (Go ${MINIMUM_GO_VERSION.join('.')} or newer on PATH)`,
    progress: `building ${options.label} ${options.version} from its module (${options.takes})`,
    async build(context) {
      await checkGo(context);
      await withProgress(context.report, this.progress, async (detail) => {
        let packages = 0;
        await runCommand({
          command: 'go',
          args: ['install', '-v', source],
          cwd: context.directory,
          // The user's own Go settings (proxy, caches, flags) count; only the places are ours.
          env: {
            ...definedOnly(context.environment),
            GOBIN: context.directory,
            GOTMPDIR: context.directory,
          },
          timeoutMs: GO_INSTALL_TIMEOUT_MS,
          onLine: (line) => {
            if (!line.startsWith('go: ')) packages += 1;
            const counted = packages === 1 ? '1 package' : `${packages} packages`;
            detail(line.startsWith('go: ') ? line : counted);
          },
          ...(context.signal === undefined ? {} : { signal: context.signal }),
        });
      });
      const built = path.posix.basename(options.program);
      await rename(
        path.join(context.directory, built),
        path.join(context.directory, options.binary),
      );
    },
  };
}

async function checkGo(context: BuildContext): Promise<void> {
  const minimum = MINIMUM_GO_VERSION.join('.');
  const output = await runCommand({
    command: 'go',
    args: ['version'],
    cwd: context.directory,
    env: definedOnly(context.environment),
    timeoutMs: GO_VERSION_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw new BillingError('unavailable', `go is not on PATH (Go ${minimum} or newer is needed)`, {
      cause,
    });
  });
  const match = /go(\d+)\.(\d+)/.exec(output);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  const [needMajor, needMinor] = MINIMUM_GO_VERSION;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  throw new BillingError(
    'unavailable',
    `Go is too old: ${output.trim()}; Go ${minimum} or newer is needed`,
  );
}

/** The environment without undefined values, as a child process takes it. */
export function definedOnly(environment: Environment): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
