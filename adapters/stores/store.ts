/** What a store can do; the folders `filesystem` and `s3` implement it. */
import type { Readable } from 'node:stream';
import type { StoredObject } from '../../domain/backups/found-backup.ts';
import type { ArtifactKind } from '../../domain/format/keys.ts';

export interface PutOptions {
  signal: AbortSignal;
  /** Called repeatedly with the number of bytes taken so far. */
  onProgress?: (bytes: number) => void;
}

/**
 * A place for backups. Every method throws SalvorError: `StoreMissing` (bucket or directory), `AccessDenied`,
 * `NoSpace`, `ArtifactMissing`, `ArtifactExists`, or, for anything that may pass by itself, `StoreUnavailable`.
 * Messages name the store and the key. An aborted call throws the signal's reason; an error of a `put`'s body is passed
 * on unchanged.
 */
export interface Store {
  readonly name: string;
  /** Where it is, such as `s3://bucket/prefix`; two stores with the same location are the same place. */
  readonly location: string;
  /** Whether this store takes this kind of artifact. */
  holds(kind: ArtifactKind): boolean;
  /** Writes and reads a small object of its own, to check before a backup that the store works. */
  check(signal: AbortSignal): Promise<void>;
  /** What time it is by the clock of the store's own machine; undefined where it doesn't say. */
  now(signal: AbortSignal): Promise<Date | undefined>;
  /**
   * Writes an object that does not exist yet, whole or not at all: a reader never sees a part of it, and a failure or
   * abort leaves nothing behind. If the object exists, it throws `ArtifactExists` and leaves the object unchanged.
   * @returns the size of what was written
   */
  put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<{ bytes: number }>;
  /**
   * Like `put`, for a body that can be sent again from its start, such as another store's copy: it continues what an
   * earlier attempt uploaded of the same bytes. A failure leaves these parts for the next attempt, or for `sweepParts`.
   * Absent where it would save nothing.
   */
  resume?(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void>;
  /**
   * Writes a small object, replacing an existing one: for notes such as a drill's result, never for an artifact. A
   * reader sees the whole old or the whole new object; in a versioned bucket the old one stays as an earlier version.
   */
  replace(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Streams an object. A broken connection ends the stream with an error; it never ends early without one. */
  get(key: string, signal: AbortSignal): Promise<Readable>;
  /** A whole small object, such as a manifest; undefined when it doesn't exist. Refuses more than 4 MiB. */
  read(key: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Every object whose key begins with the prefix, in key order; hidden and partial ones are left out. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;
  /** `locked`: the store keeps it under a lock of its own. */
  remove(key: string, signal: AbortSignal): Promise<'removed' | 'absent' | 'locked'>;
  /**
   * Removes what a killed process left of its `put`s of keys that begin with the prefix: partial files and unfinished
   * multipart uploads. Parts younger than `olderThanMs` stay, unless their process is certainly gone; parts that this
   * process is writing always stay.
   * @returns how many were removed
   */
  sweepParts(prefix: string, olderThanMs: number, signal: AbortSignal): Promise<number>;
  close(): void;
}
