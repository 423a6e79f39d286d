/** Writes one object to S3, whole or not at all. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { abortReason, untilAborted, watchFailure } from '../../encoding/streams.ts';
import type { PutOptions } from '../store.ts';

/**
 * 10,000 parts of this size are 78 GiB; etcd's largest database is far smaller. An upload is resumed in parts of the
 * same size.
 */
export const PART_BYTES = 8 * 1024 * 1024;
export const PARTS_AT_ONCE = 3;

/** The metadata of the object that identifies the call that wrote it. */
const PUT_ID = 'salvor-put';
const CLEAN_UP_TIMEOUT_MS = 30_000;

export interface PutTarget {
  client: S3Client;
  params: Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> & {
    Bucket: string;
    Key: string;
  };
  /** The metadata of the existing object, or undefined. */
  look: (signal: AbortSignal) => Promise<Record<string, string> | undefined>;
  remove: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * Uploads a stream of unknown length to a key that must not exist yet; at most `PARTS_AT_ONCE` parts and one more are
 * in memory. If the answer to the last request is lost, or the client's retry finds the object that the first request
 * made, the object's metadata shows whether this call wrote it.
 * @throws what the S3 client or the body threw, or the signal's reason
 */
export async function putObject(
  target: PutTarget,
  body: AsyncIterable<Uint8Array>,
  { signal, onProgress }: PutOptions,
): Promise<{ bytes: number }> {
  const putId = randomUUID();
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of untilAborted(body, signal)) {
      bytes += chunk.length;
      onProgress?.(bytes);
      yield chunk;
    }
  }
  const source = watchFailure(counted());
  const upload = new Upload({
    client: endedBy(target.client, signal),
    params: {
      ...target.params,
      Body: Readable.from(source.stream, { highWaterMark: 1 }),
      IfNoneMatch: '*',
      Metadata: { [PUT_ID]: putId },
    },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
  });
  try {
    await upload.done();
    return { bytes };
  } catch (error) {
    // A failed body was never completed: the upload has aborted itself.
    source.rethrow();
    const written = await wasWritten(target, putId);
    if (signal.aborted) {
      if (written) await target.remove(AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS));
      throw abortReason(signal);
    }
    if (written) return { bytes };
    throw error;
  }
}

async function wasWritten({ look }: PutTarget, putId: string): Promise<boolean> {
  // The failure that led here explains more than a failure of this request.
  const metadata = await look(AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS)).catch(() => undefined);
  return metadata?.[PUT_ID] === putId;
}

/**
 * The client; the signal ends every request but the clean-up. The upload's own `abort` would return before its requests
 * have ended and its parts are gone.
 */
function endedBy(client: S3Client, signal: AbortSignal): S3Client {
  return new Proxy(client, {
    get(_client, property) {
      if (property !== 'send') return Reflect.get(client, property, client) as unknown;
      return (command: Parameters<S3Client['send']>[0]) =>
        client.send(command, {
          abortSignal:
            command instanceof AbortMultipartUploadCommand ? AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS) : signal,
        });
    },
  });
}
