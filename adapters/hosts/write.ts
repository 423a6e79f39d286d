/** Writes a file whole or not at all. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../files.ts';
import { OWN_MARK } from './own-name.ts';

/** Small chunks are written together: a system call costs as much as copying this many bytes. */
const BATCH_BYTES = 1024 * 1024;

/**
 * Writes under another name next to the target, syncs, and renames. A failure leaves nothing behind; a kill leaves
 * `<path>.salvor-part-…`.
 */
export async function writeWhole(
  path: string,
  body: AsyncIterable<Uint8Array>,
  mode: number,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  // Two attempts at the same time, one of them abandoned, must not mix their bytes.
  const part = `${path}${OWN_MARK}part-${randomBytes(4).toString('hex')}`;
  const file = await open(part, 'wx', mode);
  try {
    let written;
    try {
      // open() applies the process's umask to the mode.
      await file.chmod(mode);
      written = await writeBody(file, body, signal);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncDirectory(dirname(path));
    return written;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function writeBody(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  for await (const chunk of body) {
    signal.throwIfAborted();
    hash.update(chunk);
    batch.push(chunk);
    batchBytes += chunk.length;
    bytes += chunk.length;
    if (batchBytes < BATCH_BYTES) continue;
    await writeAll(file, batch);
    batch = [];
    batchBytes = 0;
  }
  signal.throwIfAborted();
  await writeAll(file, batch);
  return { bytes, sha256: hash.digest('hex') };
}

/**
 * A disk that fills up first takes a part and then refuses the rest: the rest is written again, which raises the error.
 */
async function writeAll(file: FileHandle, batch: Uint8Array[]): Promise<void> {
  let rest = batch;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest);
    rest = after(rest, bytesWritten);
  }
}

function after(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    return skipped === chunk.length ? [] : [chunk.subarray(skipped)];
  });
}
