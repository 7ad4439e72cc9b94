/** What every AWS client is made with. */
import type { Config } from './config.ts';

type AwsConfig = Pick<
  Config,
  'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN'
>;

export function awsOptions(config: AwsConfig, endpoint: string | undefined) {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = config;
  return {
    region: config.AWS_REGION,
    // One quick repeat hides a broken connection; anything longer is for Temporal's retries.
    maxAttempts: 2,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: AWS_ACCESS_KEY_ID,
            secretAccessKey: AWS_SECRET_ACCESS_KEY,
            ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
          },
        }),
  };
}

/** A call that is not answered in time fails: without the last setting it is only warned of. */
export const requestHandler = {
  connectionTimeout: 3000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
};

/** The SDK's own size of a pool: for processes that do a few things at a time. */
export const usualConnections = 50;

export function poolOf(maxSockets: number) {
  const agent = { keepAlive: true, maxSockets };
  return { httpAgent: agent, httpsAgent: agent };
}
