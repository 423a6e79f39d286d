/** A store in a bucket of an S3 service, from AWS or compatible. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from '../../../domain/configuration/stores.ts';
import { storeHolds } from '../../../domain/format/keys.ts';
import { abortReason } from '../../encoding/streams.ts';
import type { Store } from '../store.ts';
import { at, lengthOf, lookInBucket, openBucket, request } from './bucket.ts';
import { checkBucket } from './check.ts';
import { S3_LIMITS, type S3Limits, type S3Secrets } from './client.ts';
import { s3Error } from './errors.ts';
import { listObjects } from './list.ts';
import { openObject, readSmall } from './read.ts';
import { timeOfService } from './clock.ts';
import { isLocked, removeObject, sweepUploads } from './remove.ts';
import { putNew, resumeNew } from './write.ts';

/** A store in the bucket and below the prefix of its configuration. It never creates the bucket. */
export function s3Store(
  configuration: S3StoreConfiguration & { name: string },
  secrets: S3Secrets,
  limits: S3Limits = S3_LIMITS,
): Store {
  const { name, endpoint } = configuration;
  const bucket = openBucket(configuration, secrets, limits);
  const { client, Bucket, root, encryption } = bucket;

  return {
    name,
    location: `s3://${Bucket}/${root}${endpoint === undefined ? '' : ` at ${endpoint}`}`,
    holds: (kind) => storeHolds(configuration, kind),
    check: async (signal) => await checkBucket(bucket, signal),
    now: async (signal) => await timeOfService(bucket, signal),
    put: async (key, body, options) => await putNew(bucket, key, body, options),
    resume: async (key, body, options) => await resumeNew(bucket, key, body, options),
    async replace(key, bytes, signal) {
      const command = new PutObjectCommand({ ...at(bucket, key), ...encryption, Body: bytes });
      await request(bucket, key, signal, async () => await client.send(command, { abortSignal: signal }));
    },
    get: async (key, signal) => (await openObject(bucket, key, signal)).body,
    read: async (key, signal) => await readSmall(bucket, key, signal),
    async head(key, signal) {
      const found = await request(bucket, key, signal, async () => await lookInBucket(bucket, at(bucket, key), signal));
      if (!found) return undefined;
      const modifiedAt = found.LastModified ?? new Date(0);
      return { key, bytes: lengthOf(bucket, found, key), modifiedAt, ...(isLocked(found) && { locked: true }) };
    },
    async *list(prefix, signal) {
      try {
        yield* listObjects(bucket, prefix, signal);
      } catch (error) {
        throw signal.aborted ? abortReason(signal) : s3Error(error, name, `${prefix}*`);
      }
    },
    remove: async (key, signal) => await removeObject(bucket, key, signal),
    sweepParts: async (prefix, olderThanMs, signal) => await sweepUploads(bucket, prefix, olderThanMs, signal),
    close: () => bucket.patient.destroy(),
  };
}
