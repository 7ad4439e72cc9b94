/** The client of S3, built once a process. Retrying is Temporal's job, in one layer. */
import { S3Client } from '@aws-sdk/client-s3';
import { awsOptions, poolOf, requestHandler, usualConnections } from './aws-options.ts';
import type { Config } from './config.ts';

export function createS3(config: Config, connections = usualConnections): S3Client {
  return new S3Client({
    ...awsOptions(config, config.S3_ENDPOINT),
    // A part may take minutes to be sent; it is a connection without a byte that is given up (FM13).
    requestHandler: {
      ...requestHandler,
      requestTimeout: 600_000,
      socketTimeout: 60_000,
      ...poolOf(connections),
    },
    forcePathStyle: config.S3_ENDPOINT !== undefined,
    // Streamed puts with default checksums fail now and then on S3-like stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
