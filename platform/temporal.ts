/** The connection to Temporal. */
import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
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

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type Call = ReturnType<Interceptor>;

/**
 * The SDK tries a failed call again by a timer of its own. When the connection was closed meanwhile, gRPC
 * throws there, where nobody can catch it, and the process ends with code 1. The call is cancelled instead.
 */
const cancelledOnceClosed: Interceptor = (options, nextCall) => {
  try {
    return nextCall(options) as Call;
  } catch {
    return cancelledCall as Call;
  }
};

const cancelled = 1;
const nothing = (): void => undefined;
/** As gRPC answers a call that brought nothing: no message, then the status. */
const cancelledCall: Partial<Call> = {
  start: (metadata, listener) => {
    listener?.onReceiveMessage?.(null);
    const details = 'the connection was closed';
    listener?.onReceiveStatus?.({ code: cancelled, details, metadata });
  },
  sendMessage: nothing,
  sendMessageWithContext: nothing,
  startRead: nothing,
  halfClose: nothing,
  cancelWithStatus: nothing,
  getPeer: () => 'closed',
};

/** A client that connects when it is first used, so that a server starts while Temporal is away. */
export function createTemporalClient(
  config: Config,
  environment: Environment,
  connectTimeoutMs = 10_000,
): Client {
  const options = temporalConnectionOptions(config, environment);
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelledOnceClosed];
  const connectTimeout = connectTimeoutMs;
  const connection = Connection.lazy({ ...options, connectTimeout, interceptors });
  return new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
}
