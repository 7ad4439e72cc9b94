/** What the API asks of the object store: what files are, and addresses to upload them to. */
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import pLimit from 'p-limit';
import type { FileVersion } from '../domain/casts.ts';
import { BillingError } from '../domain/errors.ts';
import { inputKey } from '../domain/files.ts';
import { printable } from '../domain/ids.ts';

const questionsAtOnce = 20;
/** A caller waits for them all. */
const patienceMs = 5000;
export const uploadSeconds = 900;

export type Objects = ReturnType<typeof createObjects>;

export function createObjects(s3: S3Client, bucket: string) {
  /** Sizes and ETags, in the order of the files. Throws BillingError for one that is not there. */
  async function measureFiles(
    customerId: string,
    files: readonly string[],
  ): Promise<FileVersion[]> {
    const limit = pLimit(questionsAtOnce);
    const abortSignal = AbortSignal.timeout(patienceMs);
    return await Promise.all(
      files.map(
        async (file) => await limit(async () => await measure(customerId, file, abortSignal)),
      ),
    );
  }

  async function measure(
    customerId: string,
    file: string,
    abortSignal: AbortSignal,
  ): Promise<FileVersion> {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: inputKey(customerId, file) });
    try {
      const { ContentLength, ETag } = await s3.send(command, { abortSignal });
      if (ContentLength === undefined || ETag === undefined) throw new Error('no size or ETag');
      return { bytes: ContentLength, etag: ETag };
    } catch (cause) {
      if (cause instanceof Error && (cause.name === 'NotFound' || cause.name === 'NoSuchKey')) {
        throw new BillingError('invalid_request', `"${printable(file)}" does not exist`);
      }
      const message = `"${printable(file)}" could not be looked at: try again`;
      throw new BillingError('unavailable', message, { cause });
    }
  }

  /** An address that takes one PUT of this file, for `uploadSeconds`. */
  async function uploadUrl(customerId: string, file: string): Promise<string> {
    const command = new PutObjectCommand({ Bucket: bucket, Key: inputKey(customerId, file) });
    return await getSignedUrl(s3, command, { expiresIn: uploadSeconds });
  }

  return { measureFiles, uploadUrl };
}
