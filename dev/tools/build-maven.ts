import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BillingError } from '../../domain/errors.ts';
import { definedOnly } from './build-go.ts';
import { archiveClasses } from './class-archive.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import type { BuildContext, ToolBuilder } from './types.ts';
import { MAVEN_DEPENDENCY_PLUGIN_VERSION, MINIMUM_JAVA_VERSION } from './versions.ts';

const JAVA_VERSION_TIMEOUT_MS = 15_000;
const MAVEN_TIMEOUT_MS = 10 * 60_000;

/** A builder that copies an artifact and what it needs at run time, with a script that starts it. */
export function mavenArtifact(options: {
  groupId: string;
  artifactId: string;
  version: string;
  mainClass: string;
  binary: string;
}): ToolBuilder {
  const { groupId, artifactId, version } = options;
  return {
    description:
      `fetched by Maven as ${groupId}:${artifactId}:${version} ` +
      `(mvn and Java ${MINIMUM_JAVA_VERSION} or newer on PATH)`,
    progress: `fetching ${artifactId} ${version} with Maven (about 20 seconds)`,
    async build(context) {
      await checkJava(context);
      const pom = path.join(context.directory, 'pom.xml');
      await writeFile(pom, pomText(options));
      await withProgress(context.report, this.progress, async () => {
        const goal = `org.apache.maven.plugins:maven-dependency-plugin:${MAVEN_DEPENDENCY_PLUGIN_VERSION}:copy-dependencies`;
        const args = ['-B', '-ntp', '-q', '-f', pom, goal, '-DincludeScope=runtime'];
        await runCommand({
          command: 'mvn',
          args: [...args, `-DoutputDirectory=${path.join(context.directory, 'lib')}`],
          cwd: context.directory,
          env: definedOnly(context.environment),
          timeoutMs: MAVEN_TIMEOUT_MS,
          ...(context.signal === undefined ? {} : { signal: context.signal }),
        });
      });
      const args = [...javaOptions, '-cp', 'lib/*', options.mainClass];
      await withProgress(context.report, `archiving the classes of ${artifactId}`, async () => {
        await archiveClasses(context, archive, args);
      });
      const script = path.join(context.directory, options.binary);
      await writeFile(script, scriptText(args), { mode: 0o755 });
    },
  };
}

async function checkJava(context: BuildContext): Promise<void> {
  const wanted = `Java ${MINIMUM_JAVA_VERSION} or newer is needed`;
  const output = await runCommand({
    command: 'java',
    args: ['-version'],
    cwd: context.directory,
    env: definedOnly(context.environment),
    timeoutMs: JAVA_VERSION_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw new BillingError('unavailable', `java is not on PATH (${wanted})`, { cause });
  });
  // "1.8.0_392" is Java 8; from 9 on the first number is the version.
  const major = Number(/version "(?:1\.)?(\d+)/.exec(output)?.[1] ?? 0);
  if (major < MINIMUM_JAVA_VERSION) {
    throw new BillingError('unavailable', `Java is too old: ${output.split('\n')[0]}; ${wanted}`);
  }
}

function pomText(options: { groupId: string; artifactId: string; version: string }): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>durabill</groupId>
  <artifactId>tools</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>${options.groupId}</groupId>
      <artifactId>${options.artifactId}</artifactId>
      <version>${options.version}</version>
    </dependency>
  </dependencies>
</project>
`;
}

const archive = 'classes.jsa';

/** Serial GC and the first compiler only: it listens in 0.4 s; the SDK gives it 5 s. */
const javaOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx512m'];

/** A Java that did not make the archive says nothing and starts without it. */
function scriptText(args: readonly string[]): string {
  const quoted = args.map((arg) => `'${arg}'`).join(' ');
  return `#!/bin/sh
cd "$(dirname "$0")" || exit 1
exec java -XX:SharedArchiveFile=${archive} -Xshare:auto -Xlog:disable ${quoted} "$@"
`;
}
