/** The bucket of the customers' files: found, or created once. */
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  HeadBucketCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { BucketLocationConstraint, S3Client } from '@aws-sdk/client-s3';
import { BillingError } from '../domain/errors.ts';
import type { Config } from './config.ts';

/** Idempotent. Throws BillingError `conflict` when the name belongs to someone else. */
export async function ensureBucket(
  client: S3Client,
  config: Config,
): Promise<'created' | 'present'> {
  if (await isBucketPresent(client, config.BUCKET)) return 'present';
  // us-east-1 and S3-like stores refuse a LocationConstraint; every other region wants one.
  const plain = config.S3_ENDPOINT !== undefined || config.AWS_REGION === 'us-east-1';
  const region = config.AWS_REGION as BucketLocationConstraint;
  try {
    await client.send(
      new CreateBucketCommand({
        Bucket: config.BUCKET,
        ...(plain ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }),
      }),
    );
    return 'created';
  } catch (error) {
    // Another set-up was quicker.
    if (error instanceof BucketAlreadyOwnedByYou) return 'present';
    if (error instanceof S3ServiceException && error.name === 'BucketAlreadyExists') {
      throw taken(config.BUCKET, 'belongs to someone else');
    }
    throw error;
  }
}

/** Throws BillingError `conflict` when the bucket is there but not ours to use. */
export async function isBucketPresent(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode;
    if (status === 404) return false;
    if (status === 400) throw taken(bucket, 'is not a name that S3 takes');
    if (status === 403) throw taken(bucket, 'may not be used with these credentials');
    if (status === 301) throw taken(bucket, 'is in another region: set AWS_REGION to that one');
    throw error;
  }
}

function taken(bucket: string, why: string): BillingError {
  return new BillingError('conflict', `bucket ${bucket} ${why}; BUCKET chooses another`);
}
