/** Reads objects of a bucket. */
import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { SalvorError } from '../../../domain/errors.ts';
import { SMALL_OBJECT_BYTES, tooLarge } from '../keys.ts';
import { wholeBody } from '../whole-body.ts';
import { at, lengthOf, request, type S3Bucket } from './bucket.ts';
import { tooSlow } from './client.ts';
import { s3Error } from './errors.ts';

export async function openObject(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal,
): Promise<{ bytes: number; body: Readable }> {
  const { name, client } = bucket;
  const place = at(bucket, key);
  const { Body, ContentLength } = await request(
    bucket,
    key,
    signal,
    async () => await client.send(new GetObjectCommand(place), { abortSignal: signal }),
  );
  const bytes = lengthOf(bucket, { ContentLength }, key);
  if (!(Body instanceof Readable)) {
    throw new SalvorError('StoreUnavailable', `store "${name}" answered without the content of ${key}`);
  }
  const where = `${key} in store "${name}"`;
  return { bytes, body: wholeBody(Body, { bytes, where, signal, toError: (error) => s3Error(error, name, key) }) };
}

/** A whole small object; undefined when it doesn't exist. */
export async function readSmall(bucket: S3Bucket, key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const { name, limits } = bucket;
  const late = AbortSignal.timeout(limits.answerTimeoutMs);
  const chunks: Uint8Array[] = [];
  try {
    // Without checking first: lists of backups read thousands.
    const { bytes, body } = await openObject(bucket, key, AbortSignal.any([signal, late]));
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
}
