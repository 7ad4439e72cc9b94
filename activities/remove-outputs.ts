/** Takes away what a failed job wrote: nothing half-written stays under the output prefix (FM3). */
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { outputKey } from '../domain/files.ts';
import type { Dependencies } from './dependencies.ts';
import { allObjects, keyOf } from './list-objects.ts';

type Store = Pick<Dependencies, 's3' | 'bucket'>;

/** Deletes every object of the processing, all pages, and ends uploads that a killed worker left open. */
export async function removeProcessingOutputs(
  { s3, bucket }: Store,
  customerId: string,
  processingId: string,
): Promise<number> {
  const prefix = outputKey(customerId, processingId, '').slice(0, -'.gz'.length);
  let removed = 0;
  const store = { s3, bucket, limit: pLimit(1) };
  const { signal } = new AbortController();
  for await (const page of allObjects(store, prefix, signal)) {
    const objects = page.map(({ key }) => ({ Key: key }));
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
  const where = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const;
  const list = new ListMultipartUploadsCommand(where);
  for (;;) {
    const answer = await s3.send(list);
    const { Uploads, IsTruncated } = answer;
    for (const { Key: name = '', UploadId } of Uploads ?? []) {
      const Key = keyOf(answer, name);
      await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    }
    if (IsTruncated !== true || Uploads === undefined) return;
  }
}
