/** The client of DynamoDB, built once a process. Retrying is Temporal's job, in one layer. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { awsOptions, poolOf, requestHandler, usualConnections } from './aws-options.ts';
import type { Config } from './config.ts';
import type { Metrics } from './metrics.ts';

/**
 * `connections`: never fewer than what the process asks for at once (FM15).
 * With metrics, each request counts as in flight from being sent to being answered, each try by itself.
 */
export function createDynamoDb(
  config: Config,
  metrics?: Pick<Metrics, 'dbPoolInUse'>,
  connections = usualConnections,
): DynamoDBClient {
  const client = new DynamoDBClient({
    ...awsOptions(config, config.DYNAMODB_ENDPOINT),
    requestHandler: { ...requestHandler, ...poolOf(connections) },
  });
  if (metrics !== undefined) {
    client.middlewareStack.add(
      (next) => async (args) => {
        metrics.dbPoolInUse.inc();
        try {
          return await next(args);
        } finally {
          metrics.dbPoolInUse.dec();
        }
      },
      { step: 'deserialize', priority: 'low', name: 'countInFlight' },
    );
  }
  return client;
}
