/** Lists a bucket, page by page. */
import type { StoredObject } from '../../../domain/backups/found-backup.ts';
import { ListMultipartUploadsCommand, type MultipartUpload, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { SalvorError } from '../../../domain/errors.ts';
import { isHidden } from '../keys.ts';
import type { S3Bucket } from './bucket.ts';

/**
 * The objects that a store shows, in key order.
 * @throws SalvorError `StoreUnavailable` for an answer that would hide existing objects, and what the client throws
 */
export async function* listObjects(
  { client, name, Bucket, root }: S3Bucket,
  prefix: string,
  abortSignal: AbortSignal,
): AsyncGenerator<StoredObject, void> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${root}${prefix}` }, { abortSignal })) {
    const { Contents = [], IsTruncated, KeyCount, Name, NextContinuationToken } = page;
    // An empty answer is parsed as an empty page, and without its token the next page is never requested.
    const isList = IsTruncated !== undefined || KeyCount !== undefined || Name !== undefined;
    if (!isList || (IsTruncated === true && NextContinuationToken === undefined)) {
      throw new SalvorError('StoreUnavailable', `store "${name}" gave an incomplete list of ${prefix}*`);
    }
    for (const { Key, Size, LastModified } of Contents) {
      if (Key === undefined || LastModified === undefined) continue;
      const key = Key.slice(root.length);
      // A key that ends in a slash is a folder marker of some consoles.
      if (!isHidden(key) && !key.endsWith('/')) yield { key, bytes: Size ?? 0, modifiedAt: LastModified };
    }
  }
}

/** The multipart uploads that were begun and neither completed nor aborted. */
export async function* listUploads(
  { client, Bucket, root }: S3Bucket,
  prefix: string,
  abortSignal: AbortSignal,
): AsyncGenerator<MultipartUpload, void> {
  let from = {};
  for (;;) {
    const input = { Bucket, Prefix: `${root}${prefix}`, ...from };
    const page = await client.send(new ListMultipartUploadsCommand(input), { abortSignal });
    yield* page.Uploads ?? [];
    if (!page.IsTruncated) return;
    from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
