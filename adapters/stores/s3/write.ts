/** Writes objects that don't exist yet. */
import type { MultipartUpload } from '@aws-sdk/client-s3';
import { SalvorError } from '../../../domain/errors.ts';
import { abortReason, watchFailure } from '../../encoding/streams.ts';
import type { PutOptions } from '../store.ts';
import { at, look, type Place, removeVersion, request, type S3Bucket } from './bucket.ts';
import { meaningOf, s3Error } from './errors.ts';
import { listUploads } from './list.ts';
import { putObject } from './put.ts';
import { resumeUpload } from './resume.ts';

/** `Store.put`. */
export async function putNew(
  bucket: S3Bucket,
  key: string,
  body: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<{ bytes: number }> {
  return await writeNew(bucket, key, body, options, async (place, source) => {
    const target = {
      client: bucket.patient,
      params: { ...place, ...bucket.encryption },
      look: async (signal: AbortSignal) => {
        const found = await look(bucket, place, signal);
        return found && (found.Metadata ?? {});
      },
      remove: async (signal: AbortSignal) => {
        const found = await look(bucket, place, signal);
        if (found) await removeVersion(bucket, place, found.VersionId, signal);
      },
    };
    return await putObject(target, source, options);
  });
}

/** `Store.resume`. */
export async function resumeNew(
  bucket: S3Bucket,
  key: string,
  body: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<void> {
  await writeNew(bucket, key, body, options, async (place, source) => {
    let unfinished: MultipartUpload | undefined;
    for await (const upload of listUploads(bucket, key, options.signal))
      if (upload.Key === place.Key) unfinished = upload;
    const target = { client: bucket.patient, params: { ...place, ...bucket.encryption } };
    await resumeUpload(target, unfinished?.UploadId, source, options);
  });
}

/** An error of the body is passed on unchanged. */
async function writeNew<T>(
  bucket: S3Bucket,
  key: string,
  body: AsyncIterable<Uint8Array>,
  { signal }: PutOptions,
  write: (place: Place, source: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const { name } = bucket;
  const place = at(bucket, key);
  const exists = new SalvorError('ArtifactExists', `store "${name}" already has ${key}, which was left unchanged`);
  // The service would refuse a large upload as well, but only at its end.
  if (await request(bucket, key, signal, async () => await look(bucket, place, signal))) throw exists;
  const source = watchFailure(body);
  try {
    return await write(place, source.stream);
  } catch (error) {
    source.rethrow();
    if (signal.aborted) throw abortReason(signal);
    throw meaningOf(error) === 'ArtifactExists' ? exists : s3Error(error, name, key);
  }
}
