/**
 * A store's bucket, and what all requests to it share: its place, its failures, a look at an object, the removal of one
 * version.
 */
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { S3StoreConfiguration } from '../../../domain/configuration/stores.ts';
import { SalvorError } from '../../../domain/errors.ts';
import { abortReason } from '../../encoding/streams.ts';
import { checkKey } from '../keys.ts';
import { answering, encryptionOf, s3Client, type S3Limits, type S3Secrets } from './client.ts';
import { meaningOf, s3Error } from './errors.ts';

export interface S3Bucket {
  /** For requests without a large body: each ends within `limits.answerTimeoutMs`. */
  client: S3Client;
  /** For bodies, which have no time limit. */
  patient: S3Client;
  /** The store's, for messages. */
  name: string;
  Bucket: string;
  /** The prefix of all keys of the store: empty, or ending in a slash. */
  root: string;
  /** How the service encrypts what is written. */
  encryption: ReturnType<typeof encryptionOf>;
  limits: S3Limits;
}

export interface Place {
  Bucket: string;
  Key: string;
}

export function openBucket(
  configuration: S3StoreConfiguration & { name: string },
  secrets: S3Secrets,
  limits: S3Limits,
): S3Bucket {
  const { name, bucket: Bucket, prefix } = configuration;
  const patient = s3Client(configuration, secrets, limits);
  return {
    client: answering(patient, name, limits),
    patient,
    name,
    Bucket,
    root: prefix === undefined ? '' : `${prefix}/`,
    encryption: encryptionOf(configuration),
    limits,
  };
}

/**
 * @throws SalvorError `InvalidInput` for a key that no store accepts
 */
export function at({ name, Bucket, root }: S3Bucket, key: string): Place {
  checkKey(name, key);
  return { Bucket, Key: `${root}${key}` };
}

/** Runs requests; an error becomes a SalvorError, or the reason of an aborted signal. */
export async function request<T>(
  { name, Bucket }: S3Bucket,
  what: string,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  try {
    signal.throwIfAborted();
    return await act();
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    // Whatever was asked for, it is the bucket that is missing.
    throw s3Error(error, name, meaningOf(error) === 'StoreMissing' ? `bucket ${Bucket}` : what);
  }
}

export async function look(
  { client }: S3Bucket,
  place: Place,
  abortSignal: AbortSignal,
): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await client.send(new HeadObjectCommand(place), { abortSignal });
  } catch (error) {
    if (meaningOf(error) === 'ArtifactMissing') return undefined;
    throw error;
  }
}

/** Like {@link look}, but a missing object counts only if the bucket exists. */
export async function lookInBucket(
  bucket: S3Bucket,
  place: Place,
  abortSignal: AbortSignal,
): Promise<HeadObjectCommandOutput | undefined> {
  const found = await look(bucket, place, abortSignal);
  if (found) return found;
  // Unlike a HeadBucket, its refusal says why.
  await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.Bucket, MaxKeys: 1 }), { abortSignal });
  return undefined;
}

/** If a gateway leaves out the length, every object would look empty. */
export function lengthOf(
  { name }: S3Bucket,
  { ContentLength }: { ContentLength?: number | undefined },
  key: string,
): number {
  if (ContentLength !== undefined) return ContentLength;
  throw new SalvorError('StoreUnavailable', `store "${name}" answered without the length of ${key}`);
}

/** Removes a version permanently: without its ID a versioned bucket would only hide it. */
export async function removeVersion(
  { client }: S3Bucket,
  place: Place,
  id: string | undefined,
  abortSignal: AbortSignal,
): Promise<void> {
  const version = id === undefined ? {} : { VersionId: id };
  await client.send(new DeleteObjectCommand({ ...place, ...version }), { abortSignal });
}
