/** The connection to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Config, Environment } from './config.ts';

/** Address, API key and TLS as the Temporal CLI reads them (TEMPORAL_*), with our defaults. */
export function temporalConnectionOptions(config: Config, environment: Environment) {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('TEMPORAL_') && value !== undefined ? [[name, value]] : [],
    ),
  );
  const { connectionOptions } = loadClientConnectConfig({ disableFile: true, overrideEnvVars });
  return { ...connectionOptions, address: config.TEMPORAL_ADDRESS };
}

/** A client that connects when it is first used, so that a server starts while Temporal is away. */
export function createTemporalClient(
  config: Config,
  environment: Environment,
  connectTimeoutMs = 10_000,
): Client {
  const options = temporalConnectionOptions(config, environment);
  const connection = Connection.lazy({ ...options, connectTimeout: connectTimeoutMs });
  return new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
}
