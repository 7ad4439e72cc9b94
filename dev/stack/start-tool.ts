import { baseEnvironment, developmentEnvironment } from '../environment.ts';
import { resolveTool } from '../tools/resolve.ts';
import type { ResolvedTool } from '../tools/types.ts';
import type { ToolName } from '../tools/versions.ts';
import type { ChildSpec } from './child.ts';
import { startChild } from './child.ts';
import { onPort } from './free-port.ts';
import type { RunningServer, StartOptions } from './types.ts';

type ToolSpec = Pick<ChildSpec, 'args' | 'env' | 'probe'>;

/**
 * Resolves a tool and starts it as the server `name` on the wanted port. The server gets nothing of
 * the user's environment but what every process needs: a stray AWS_ or TEMPORAL_ variable stays out.
 */
export async function startTool(
  toolName: ToolName,
  name: string,
  options: StartOptions,
  describe: (port: number, tool: ResolvedTool) => ToolSpec | Promise<ToolSpec>,
): Promise<RunningServer> {
  const tool = options.tool ?? (await resolveTool(toolName, options));
  const base = baseEnvironment(options.environment ?? developmentEnvironment());
  return await onPort(options.port, async (port) => {
    const spec = await describe(port, tool);
    return await startChild({
      ...spec,
      name,
      command: tool.command,
      args: [...tool.args, ...spec.args],
      env: { ...base, ...spec.env },
      dataDir: options.dataDir,
      cwd: options.dataDir,
      port,
      ...childOptions(options),
    });
  });
}

/** The start options that a child takes as they are. */
export function childOptions(options: StartOptions): Pick<ChildSpec, 'signal' | 'onSpawn'> {
  return {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onSpawn === undefined ? {} : { onSpawn: options.onSpawn }),
  };
}
