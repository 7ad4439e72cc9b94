import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isPortFree, pickFreePort } from './free-port.ts';

/** The ports that the server's four services use among themselves. */
const internalPorts = z.object({
  frontendHttp: z.int(),
  frontendMembership: z.int(),
  matching: z.int(),
  matchingMembership: z.int(),
  history: z.int(),
  historyMembership: z.int(),
  worker: z.int(),
  workerMembership: z.int(),
});
type InternalPorts = z.infer<typeof internalPorts>;

const RATE_LIMIT = 100_000;

/** Temporal's dynamic configuration, by the names of its settings. */
export type DynamicConfig = Readonly<Record<string, boolean | number>>;

/**
 * One machine, one user: no rate limit of a shared cluster applies, and a search attribute must be
 * usable the moment it is registered.
 */
export const DYNAMIC_CONFIG: DynamicConfig = {
  'system.forceSearchAttributesCacheRefreshOnRead': true,
  'frontend.rps': RATE_LIMIT,
  'frontend.namespaceRPS': RATE_LIMIT,
  'frontend.namespaceRPS.visibility': RATE_LIMIT,
  'frontend.persistenceMaxQPS': RATE_LIMIT,
  'history.rps': RATE_LIMIT,
  'history.persistenceMaxQPS': RATE_LIMIT,
  'matching.rps': RATE_LIMIT,
  'matching.persistenceMaxQPS': RATE_LIMIT,
};

/**
 * Writes the server's configuration for this port and returns its path. The internal ports of the
 * last run are used again while they are free: the stored cluster membership names them, and a server
 * that finds itself under other ports takes seconds longer to come up.
 */
export async function writeTemporalConfig(
  folder: string,
  port: number,
  dynamicConfig: DynamicConfig,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const ports = await chooseInternalPorts(path.join(folder, 'internal-ports.json'));
  const dynamic = Object.entries({ ...DYNAMIC_CONFIG, ...dynamicConfig }).map(([key, value]) => [
    key,
    [{ value }],
  ]);
  const dynamicFile = path.join(folder, 'dynamic.yaml');
  await writeFile(dynamicFile, JSON.stringify(Object.fromEntries(dynamic), null, 2));
  const configFile = path.join(folder, 'server.yaml');
  // JSON is YAML.
  await writeFile(
    configFile,
    JSON.stringify(serverConfig(folder, dynamicFile, port, ports), null, 2),
  );
  return configFile;
}

async function chooseInternalPorts(file: string): Promise<InternalPorts> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const saved = internalPorts.partial().safeParse(parseJson(text)).data ?? {};
  const chosen: Record<string, number> = {};
  for (const name of internalPorts.keyof().options) {
    const before = saved[name];
    const usable = before !== undefined && (await isPortFree(before));
    chosen[name] = usable ? before : await pickFreePort();
  }
  const ports = internalPorts.parse(chosen);
  await writeFile(file, JSON.stringify(ports, null, 2));
  return ports;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const HOST = '127.0.0.1';

function serverConfig(
  folder: string,
  dynamicFile: string,
  port: number,
  ports: InternalPorts,
): object {
  const disabled = { history: { state: 'disabled' }, visibility: { state: 'disabled' } };
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: {
        default: { sql: sqlite(path.join(folder, 'temporal.db')) },
        visibility: { sql: sqlite(path.join(folder, 'visibility.db')) },
      },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: HOST } },
    services: {
      frontend: service(port, ports.frontendMembership, { httpPort: ports.frontendHttp }),
      matching: service(ports.matching, ports.matchingMembership),
      history: service(ports.history, ports.historyMembership),
      worker: service(ports.worker, ports.workerMembership),
    },
    clusterMetadata: clusterMetadata(port, ports.frontendHttp),
    dcRedirectionPolicy: { policy: 'noop' },
    archival: disabled,
    namespaceDefaults: { archival: disabled },
    dynamicConfigClient: { filepath: dynamicFile, pollInterval: '60s' },
  };
}

function service(grpcPort: number, membershipPort: number, more: object = {}): object {
  return { rpc: { grpcPort, membershipPort, bindOnLocalHost: true, ...more } };
}

function clusterMetadata(port: number, httpPort: number): object {
  return {
    enableGlobalNamespace: false,
    failoverVersionIncrement: 10,
    masterClusterName: 'active',
    currentClusterName: 'active',
    clusterInformation: {
      active: {
        enabled: true,
        initialFailoverVersion: 1,
        rpcName: 'frontend',
        rpcAddress: `${HOST}:${port}`,
        httpAddress: `${HOST}:${httpPort}`,
      },
    },
  };
}

/** A write-ahead log synchronised at checkpoints: measured fastest, and a SIGKILL loses nothing. */
export const SQLITE_PRAGMAS = [
  ['journal_mode', 'wal'],
  ['synchronous', '1'],
] as const;

/** One connection: more give "database is locked". */
function sqlite(file: string): object {
  return {
    pluginName: 'sqlite',
    databaseName: file,
    connectAddr: 'localhost',
    connectProtocol: 'tcp',
    connectAttributes: { cache: 'private', setup: 'true', ...Object.fromEntries(SQLITE_PRAGMAS) },
    maxConns: 1,
    maxIdleConns: 1,
    maxConnLifetime: '1h',
    tls: { enabled: false },
  };
}
