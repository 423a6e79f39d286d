/** Continues an interrupted multipart upload: existing parts are not sent again. */
import { createHash } from 'node:crypto';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { untilAborted } from '../../encoding/streams.ts';
import { PART_BYTES, PARTS_AT_ONCE, type PutTarget } from './put.ts';
import type { PutOptions } from '../store.ts';

interface SentPart {
  bytes: number;
  etag: string;
}

/**
 * Uploads a body whose earlier attempt may have left an unfinished upload of the same bytes. At most `PARTS_AT_ONCE`
 * parts and one more are in memory. A failure leaves the parts that were sent.
 * @param uploadId the unfinished upload; without it a new one is begun
 * @throws what the S3 client or the body threw
 */
export async function resumeUpload(
  { client, params }: Pick<PutTarget, 'client' | 'params'>,
  uploadId: string | undefined,
  body: AsyncIterable<Uint8Array>,
  { signal, onProgress }: PutOptions,
): Promise<void> {
  const { Bucket, Key } = params;
  const abort = { abortSignal: signal };
  const UploadId = uploadId ?? (await client.send(new CreateMultipartUploadCommand(params), abort)).UploadId;
  const upload = { Bucket, Key, UploadId };
  const sent = uploadId === undefined ? new Map<number, SentPart>() : await sentParts(client, upload, signal);
  const parts: CompletedPart[] = [];
  const sending = new Set<Promise<void>>();
  let taken = 0;

  async function send(PartNumber: number, Body: Uint8Array): Promise<void> {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }), abort);
    parts.push({ PartNumber, ETag });
  }

  try {
    for await (const part of inParts(untilAborted(body, signal))) {
      const PartNumber = Math.floor(taken / PART_BYTES) + 1;
      const there = sent.get(PartNumber);
      if (there && isSame(there, part)) {
        parts.push({ PartNumber, ETag: there.etag });
      } else {
        while (sending.size >= PARTS_AT_ONCE) await Promise.race(sending);
        const sent = send(PartNumber, part).finally(() => sending.delete(sent));
        sending.add(sent);
      }
      taken += part.byteLength;
      onProgress?.(taken);
    }
    await Promise.all(sending);
  } catch (error) {
    await Promise.allSettled(sending);
    throw error;
  }
  parts.sort((a, b) => Number(a.PartNumber) - Number(b.PartNumber));
  const complete = { ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' };
  await client.send(new CompleteMultipartUploadCommand(complete), abort);
}

async function sentParts(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  abortSignal: AbortSignal,
): Promise<Map<number, SentPart>> {
  const sent = new Map<number, SentPart>();
  let from = {};
  for (;;) {
    // The client's own pagination isn't used: it continues forever if a service names a next part after the last one.
    const page = await client.send(new ListPartsCommand({ ...upload, ...from }), { abortSignal });
    for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
      if (PartNumber !== undefined && ETag !== undefined) sent.set(PartNumber, { bytes: Size ?? -1, etag: ETag });
    }
    if (!page.IsTruncated) return sent;
    from = { PartNumberMarker: page.NextPartNumberMarker };
  }
}

/** A part's ETag is its MD5. If the service encrypts with a key of its own it isn't, and the part is sent again. */
function isSame({ bytes, etag }: SentPart, part: Uint8Array): boolean {
  return bytes === part.byteLength && etag.replaceAll('"', '') === createHash('md5').update(part).digest('hex');
}

/** The stream in pieces of `PART_BYTES`; the last one may be shorter. An empty stream is one empty piece. */
async function* inParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let isFirst = true;
  for await (const chunk of body) {
    let rest = chunk;
    while (waitingBytes + rest.byteLength >= PART_BYTES) {
      const end = PART_BYTES - waitingBytes;
      yield Buffer.concat([...waiting, rest.subarray(0, end)]);
      isFirst = false;
      rest = rest.subarray(end);
      waiting = [];
      waitingBytes = 0;
    }
    waiting.push(rest);
    waitingBytes += rest.byteLength;
  }
  if (waitingBytes > 0 || isFirst) yield Buffer.concat(waiting);
}
