/** Checks that a bucket can be used: a small object is written, read back and removed. */
import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { removeVersion, request, type S3Bucket } from './bucket.ts';
import { meaningOf } from './errors.ts';

/** `Store.check`. */
export async function checkBucket(bucket: S3Bucket, abortSignal: AbortSignal): Promise<void> {
  const { client, Bucket, root, encryption } = bucket;
  const place = { Bucket, Key: `${root}.salvor-check-${randomUUID()}` };
  await request(bucket, `bucket ${Bucket}`, abortSignal, async () => {
    await client.send(new PutObjectCommand({ ...place, ...encryption, Body: place.Key }), { abortSignal });
    const found = await client.send(new GetObjectCommand(place), { abortSignal });
    if ((await found.Body?.transformToString()) !== place.Key)
      throw new Error('read back different bytes than were written');
    await removeVersion(bucket, place, found.VersionId, abortSignal).catch((error: unknown) => {
      // A bucket that locks new objects keeps this one as well.
      if (meaningOf(error) !== 'AccessDenied') throw error;
    });
  });
}
