/** A store in a bucket of an S3 service, AWS's own or a compatible one. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type MultipartUpload,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from '../../../domain/configuration/stores.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { abortReason, watchFailure } from '../../encoding/streams.ts';
import { checkKey, SMALL_OBJECT_BYTES, tooLarge } from '../keys.ts';
import { answering, encryptionOf, S3_LIMITS, s3Client, type S3Limits, type S3Secrets, tooSlow } from './client.ts';
import { meaningOf, s3Error } from './errors.ts';
import { listObjects, listUploads } from './list.ts';
import { putObject } from './put.ts';
import { resumeUpload } from './resume.ts';
import type { Store } from '../store.ts';
import { wholeBody } from '../whole-body.ts';

/** A store in the bucket and below the prefix of its configuration. It never creates the bucket. */
export function s3Store(
  configuration: S3StoreConfiguration & { name: string },
  secrets: S3Secrets,
  limits: S3Limits = S3_LIMITS,
): Store {
  const { name, bucket: Bucket, holds } = configuration;
  const patient = s3Client(configuration, secrets, limits);
  const client = answering(patient, name, limits);
  const root = configuration.prefix === undefined ? '' : `${configuration.prefix}/`;
  const encryption = encryptionOf(configuration);
  const bucket = { client, name, Bucket, root };

  function at(key: string): { Bucket: string; Key: string } {
    checkKey(name, key);
    return { Bucket, Key: `${root}${key}` };
  }

  /** Runs requests; what they throw becomes a SalvorError, or the reason of an aborted signal. */
  async function request<T>(what: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    try {
      signal.throwIfAborted();
      return await act();
    } catch (error) {
      throw signal.aborted ? abortReason(signal) : s3Error(error, name, what);
    }
  }

  async function look(place: { Bucket: string; Key: string }, abortSignal: AbortSignal) {
    try {
      return await client.send(new HeadObjectCommand(place), { abortSignal });
    } catch (error) {
      if (meaningOf(error) === 'ArtifactMissing') return undefined;
      throw error;
    }
  }

  /** A gateway that leaves it out would make every object look empty. */
  function lengthOf({ ContentLength }: { ContentLength?: number | undefined }, key: string): number {
    if (ContentLength !== undefined) return ContentLength;
    throw new SalvorError('StoreUnavailable', `store "${name}" answered without the length of ${key}`);
  }

  /** Like {@link look}; but that nothing is there counts only in a bucket that is there. */
  async function lookInBucket(place: { Bucket: string; Key: string }, abortSignal: AbortSignal) {
    const found = await look(place, abortSignal);
    if (found) return found;
    // Unlike a HeadBucket, its refusal says why.
    await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }), { abortSignal });
    return undefined;
  }

  /** Removes a version for good: without its id a versioned bucket would only hide it. */
  async function removeVersion(
    place: { Bucket: string; Key: string },
    id: string | undefined,
    abortSignal: AbortSignal,
  ) {
    const version = id === undefined ? {} : { VersionId: id };
    await client.send(new DeleteObjectCommand({ ...place, ...version }), { abortSignal });
  }

  async function open(key: string, signal: AbortSignal): Promise<{ bytes: number; body: Readable }> {
    const place = at(key);
    const { Body, ContentLength } = await request(key, signal, () =>
      client.send(new GetObjectCommand(place), { abortSignal: signal }),
    );
    const bytes = lengthOf({ ContentLength }, key);
    if (!(Body instanceof Readable)) {
      throw new SalvorError('StoreUnavailable', `store "${name}" answered without the content of ${key}`);
    }
    const where = `${key} in store "${name}"`;
    return { bytes, body: wholeBody(Body, { bytes, where, signal, toError: (error) => s3Error(error, name, key) }) };
  }

  return {
    name,
    location: `s3://${Bucket}/${root}${configuration.endpoint === undefined ? '' : ` at ${configuration.endpoint}`}`,
    holds: (kind) => holds?.includes(kind) ?? true,

    async check(signal) {
      const place = { Bucket, Key: `${root}.salvor-check-${randomUUID()}` };
      await request(`bucket ${Bucket}`, signal, async () => {
        const abortSignal = signal;
        await client.send(new PutObjectCommand({ ...place, ...encryption, Body: place.Key }), { abortSignal });
        const found = await client.send(new GetObjectCommand(place), { abortSignal });
        if ((await found.Body?.transformToString()) !== place.Key)
          throw new Error('read back other bytes than were written');
        await removeVersion(place, found.VersionId, abortSignal).catch((error: unknown) => {
          // A bucket that locks what is written to it keeps this as well.
          if (meaningOf(error) !== 'AccessDenied') throw error;
        });
      });
    },

    async put(key, body, options) {
      const place = at(key);
      const exists = new SalvorError('ArtifactExists', `store "${name}" already has ${key}; it is left as it was`);
      // At the end of a large upload it would be refused as well, but only then.
      if (await request(key, options.signal, () => look(place, options.signal))) throw exists;
      const target = {
        client: patient,
        params: { ...place, ...encryption },
        look: async (signal: AbortSignal) => {
          const found = await look(place, signal);
          return found && (found.Metadata ?? {});
        },
        remove: async (signal: AbortSignal) => {
          const found = await look(place, signal);
          if (found) await removeVersion(place, found.VersionId, signal);
        },
      };
      const source = watchFailure(body);
      try {
        return await putObject(target, source.stream, options);
      } catch (error) {
        source.rethrow();
        if (options.signal.aborted) throw abortReason(options.signal);
        throw meaningOf(error) === 'ArtifactExists' ? exists : s3Error(error, name, key);
      }
    },

    async resume(key, body, options) {
      const { signal } = options;
      const place = at(key);
      const exists = new SalvorError('ArtifactExists', `store "${name}" already has ${key}; it is left as it was`);
      if (await request(key, signal, () => look(place, signal))) throw exists;
      const source = watchFailure(body);
      try {
        let unfinished: MultipartUpload | undefined;
        for await (const upload of listUploads(bucket, key, signal)) if (upload.Key === place.Key) unfinished = upload;
        const target = { client: patient, params: { ...place, ...encryption } };
        await resumeUpload(target, unfinished?.UploadId, source.stream, options);
      } catch (error) {
        source.rethrow();
        if (signal.aborted) throw abortReason(signal);
        throw meaningOf(error) === 'ArtifactExists' ? exists : s3Error(error, name, key);
      }
    },

    async replace(key, bytes, signal) {
      const place = at(key);
      await request(key, signal, () =>
        client.send(new PutObjectCommand({ ...place, ...encryption, Body: bytes }), { abortSignal: signal }),
      );
    },

    async get(key, signal) {
      return (await open(key, signal)).body;
    },

    async read(key, signal) {
      const late = AbortSignal.timeout(limits.answerTimeoutMs);
      const chunks: Uint8Array[] = [];
      try {
        // Without a look before: lists of backups read thousands.
        const { bytes, body } = await open(key, AbortSignal.any([signal, late]));
        if (bytes > SMALL_OBJECT_BYTES) {
          body.destroy();
          throw tooLarge(name, key, bytes);
        }
        for await (const chunk of body) chunks.push(chunk as Uint8Array);
      } catch (error) {
        if (error instanceof SalvorError && error.type === 'ArtifactMissing') return undefined;
        if (!late.aborted || signal.aborted) throw error;
        throw tooSlow(name, limits, error);
      }
      return Buffer.concat(chunks);
    },

    async head(key, signal) {
      const found = await request(key, signal, () => lookInBucket(at(key), signal));
      if (!found) return undefined;
      const modifiedAt = found.LastModified ?? new Date(0);
      return { key, bytes: lengthOf(found, key), modifiedAt, ...(isLocked(found) && { locked: true }) };
    },

    async *list(prefix, signal) {
      try {
        yield* listObjects(bucket, prefix, signal);
      } catch (error) {
        throw signal.aborted ? abortReason(signal) : s3Error(error, name, `${prefix}*`);
      }
    },

    async remove(key, signal) {
      const place = at(key);
      return request(key, signal, async () => {
        let found = await lookInBucket(place, signal);
        if (!found) return 'absent';
        // Removing a version brings the one below it to light.
        for (; found; found = await look(place, signal)) {
          try {
            await removeVersion(place, found.VersionId, signal);
          } catch (error) {
            if (meaningOf(error) === 'AccessDenied' && (isLocked(found) || tellsOfLock(error))) return 'locked';
            throw error;
          }
          if (found.VersionId === undefined) break;
        }
        return 'removed';
      });
    },

    async sweepParts(prefix, olderThanMs, signal) {
      let swept = 0;
      await request('unfinished uploads', signal, async () => {
        for await (const { Key, UploadId, Initiated } of listUploads(bucket, prefix, signal)) {
          if (Initiated === undefined || Date.now() - Initiated.getTime() <= olderThanMs) continue;
          await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal: signal });
          swept += 1;
        }
      });
      return swept;
    },

    close() {
      patient.destroy();
    },
  };
}

/** Whether the head of an object says that it is locked; the service leaves it out where the credentials may not see it. */
function isLocked({ ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus }: HeadObjectCommandOutput): boolean {
  const retained = ObjectLockRetainUntilDate !== undefined && ObjectLockRetainUntilDate.getTime() > Date.now();
  return retained || ObjectLockLegalHoldStatus === 'ON';
}

/** Whether a refusal is by a lock. */
function tellsOfLock(error: unknown): boolean {
  return error instanceof Error && /object.?lock|retention|legal hold|worm/i.test(error.message);
}
