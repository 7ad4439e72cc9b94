import type { Environment } from '../environment.ts';
import type { Report, ResolvedTool } from '../tools/types.ts';

export interface SpawnedChild {
  name: string;
  pid: number;
  command: string;
}

/** How a child ended: "code 1", "SIGKILL". */
export type ExitReason = string;

export interface StartOptions {
  /** Everything that the server keeps, its configuration and `logs/<name>.log` go here. */
  dataDir: string;
  /** A free one when missing or 0. */
  port?: number;
  report?: Report;
  /** Where tools are looked for; the process's own environment when missing. */
  environment?: Environment;
  /** Gives up starting. It does not stop what runs. */
  signal?: AbortSignal;
  /** Told the moment a process exists, before it is ready: a crash must not lose sight of it. */
  onSpawn?: (child: SpawnedChild) => void;
  /** Already resolved; otherwise the server's tool is resolved on start. */
  tool?: ResolvedTool;
}

export interface RunningServer {
  name: string;
  pid: number;
  port: number;
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** `127.0.0.1:<port>` */
  address: string;
  logFile: string;
  /** Resolves when the process is gone, however it went. */
  exited: Promise<ExitReason>;
  /** SIGTERM, then SIGKILL after a bound. Resolves when the process is gone. */
  stop(): Promise<void>;
}
