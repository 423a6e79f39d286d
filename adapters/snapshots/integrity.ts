/** The checks that a snapshot's bytes must pass, made while they are streamed. */
import { createHash } from 'node:crypto';
import { type FailureType, SalvorError } from '../../domain/errors.ts';

const HASH_BYTES = 32;
/** A database consists of whole pages, and every page size is a multiple of this. */
const PAGE_BYTES = 512;

export interface SnapshotDigest {
  bytes: number;
  /** Of all bytes, in hexadecimal. */
  sha256: string;
  /** The SHA-256 of the database alone, without the appended hash: the hash that is appended. */
  bodySha256: string;
}

/** Whether a file of this size has whole pages and no appended hash, like a copy from a data directory. */
export function lacksHash(bytes: number): boolean {
  return bytes % PAGE_BYTES === 0;
}

/**
 * The source's bytes, unchanged and not copied. It has one reader, and ends normally only for a snapshot that passed.
 */
export interface CheckedSnapshot extends AsyncIterable<Uint8Array> {
  /** What passed; undefined until the iteration has ended normally. */
  digest(): SnapshotDigest | undefined;
}

/**
 * Checks a snapshot while it is read: it isn't empty, it has whole pages and a hash (size mod 512 is 32), and the
 * SHA-256 of the pages equals that hash. etcd and its tools check less (`snapshot save` only the size), and `etcdutl
 * snapshot status` crashes on what this refuses.
 * @param where named in the message: the member, or the store and key
 * @param options.failure the failure type: `BackupCorrupt` by default, or `SnapshotInterrupted` for bytes that come
 * from etcd
 * @param options.skipHashCheck accepts whole pages without a hash; if there is a hash, it must be right in any case
 */
export function checkSnapshot(
  source: AsyncIterable<Uint8Array>,
  where: string,
  options: { failure?: Extract<FailureType, 'BackupCorrupt' | 'SnapshotInterrupted'>; skipHashCheck?: boolean } = {},
): CheckedSnapshot {
  const { failure = 'BackupCorrupt', skipHashCheck = false } = options;
  let passed: SnapshotDigest | undefined;

  function refuse(problem: string): never {
    throw new SalvorError(failure, `${where}: the snapshot ${problem}`);
  }

  async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash('sha256');
    // The last 32 bytes seen: the appended hash, if nothing follows.
    let tail: Uint8Array = new Uint8Array(0);
    let size = 0;
    for await (const chunk of source) {
      size += chunk.length;
      if (chunk.length >= HASH_BYTES) {
        hash.update(tail);
        hash.update(chunk.subarray(0, -HASH_BYTES));
        tail = chunk.slice(-HASH_BYTES);
      } else {
        const both = Buffer.concat([tail, chunk]);
        const surplus = Math.max(0, both.length - HASH_BYTES);
        hash.update(both.subarray(0, surplus));
        tail = both.subarray(surplus);
      }
      yield chunk;
    }
    if (size === 0) refuse('is empty');
    if (lacksHash(size)) {
      if (!skipHashCheck) {
        refuse(
          `has ${size} bytes: pages without the hash that "etcdctl snapshot save" appends. It was truncated, or copied from a data directory; to restore such a copy, ask for it with skipHashCheck (--skip-hash-check)`,
        );
      }
      const sha256 = hash.update(tail).digest('hex');
      passed = { bytes: size, sha256, bodySha256: sha256 };
      return;
    }
    if (size % PAGE_BYTES !== HASH_BYTES) {
      refuse(
        `has ${size} bytes, ${size % PAGE_BYTES} more than whole pages; expected 32 more: it was truncated or changed`,
      );
    }
    const whole = hash.copy().update(tail).digest('hex');
    const body = hash.digest('hex');
    const appended = Buffer.from(tail).toString('hex');
    if (body !== appended) {
      refuse(
        `fails its own hash: expected SHA-256 ${appended}, got ${body} over ${size - HASH_BYTES} bytes: it was changed`,
      );
    }
    passed = { bytes: size, sha256: whole, bodySha256: body };
  }

  return { [Symbol.asyncIterator]: bytes, digest: () => passed };
}
