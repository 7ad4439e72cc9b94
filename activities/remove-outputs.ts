/** Takes away what a failed job wrote: nothing half-written stays under the output prefix (FM3). */
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { outputKey } from '../domain/files.ts';
import type { Dependencies } from './dependencies.ts';

type Store = Pick<Dependencies, 's3' | 'bucket'>;

/** Deletes every object of the processing, all pages, and ends uploads that a killed worker left open. */
export async function removeProcessingOutputs(
  { s3, bucket }: Store,
  customerId: string,
  processingId: string,
): Promise<number> {
  const prefix = outputKey(customerId, processingId, '').slice(0, -'.gz'.length);
  let removed = 0;
  const where = { Bucket: bucket, Prefix: prefix };
  for await (const page of paginateListObjectsV2({ client: s3 }, where)) {
    const objects = (page.Contents ?? []).flatMap(({ Key }) =>
      Key === undefined ? [] : [{ Key }],
    );
    if (objects.length === 0) continue;
    const answer = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
    );
    const refused = answer.Errors?.[0];
    if (refused !== undefined) {
      throw new Error(
        `${refused.Key ?? 'an output'} could not be removed: ${refused.Message ?? ''}`,
      );
    }
    removed += objects.length;
  }
  await endOpenUploads({ s3, bucket }, prefix);
  return removed;
}

/** Ended uploads leave the list, so it is asked from its beginning until it is whole. */
async function endOpenUploads({ s3, bucket }: Store, prefix: string): Promise<void> {
  const list = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix });
  for (;;) {
    const { Uploads, IsTruncated } = await s3.send(list);
    for (const { Key, UploadId } of Uploads ?? []) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    }
    if (IsTruncated !== true || Uploads === undefined) return;
  }
}
