/** Removes objects, all versions of them, and unfinished uploads. */
import { AbortMultipartUploadCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { at, look, lookInBucket, removeVersion, request, type S3Bucket } from './bucket.ts';
import { meaningOf } from './errors.ts';
import { listUploads } from './list.ts';

/** `Store.remove`. */
export async function removeObject(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal,
): Promise<'removed' | 'absent' | 'locked'> {
  const place = at(bucket, key);
  return await request(bucket, key, signal, async () => {
    let found = await lookInBucket(bucket, place, signal);
    if (!found) return 'absent';
    // Removing a version makes the one below it visible.
    for (; found; found = await look(bucket, place, signal)) {
      try {
        await removeVersion(bucket, place, found.VersionId, signal);
      } catch (error) {
        if (meaningOf(error) === 'AccessDenied' && (isLocked(found) || tellsOfLock(error))) return 'locked';
        throw error;
      }
      if (found.VersionId === undefined) break;
    }
    return 'removed';
  });
}

/** Aborts the multipart uploads that are older than a given time. */
export async function sweepUploads(
  bucket: S3Bucket,
  prefix: string,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<number> {
  const { client, Bucket } = bucket;
  let swept = 0;
  await request(bucket, 'unfinished uploads', signal, async () => {
    for await (const { Key, UploadId, Initiated } of listUploads(bucket, prefix, signal)) {
      if (Initiated === undefined || Date.now() - Initiated.getTime() <= olderThanMs) continue;
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal });
      swept += 1;
    }
  });
  return swept;
}

/** Whether an object's head says that it is locked; the service leaves this out if the credentials may not see it. */
export function isLocked({ ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus }: HeadObjectCommandOutput): boolean {
  const retained = ObjectLockRetainUntilDate !== undefined && ObjectLockRetainUntilDate.getTime() > Date.now();
  return retained || ObjectLockLegalHoldStatus === 'ON';
}

/** Whether a lock caused a refusal. */
function tellsOfLock(error: unknown): boolean {
  return error instanceof Error && /object.?lock|retention|legal hold|worm/i.test(error.message);
}
