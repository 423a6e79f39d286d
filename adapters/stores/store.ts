/** What a store can do; `filesystem.ts` and `s3.ts` do it. */
import type { Readable } from 'node:stream';
import type { StoredObject } from '../../domain/backups/found-backup.ts';
import type { ArtifactKind } from '../../domain/format/keys.ts';

export interface PutOptions {
  signal: AbortSignal;
  /** Called with the bytes taken so far, as often as there is something to tell. */
  onProgress?: (bytes: number) => void;
}

/**
 * A place for backups. Every method throws SalvorError: `StoreMissing` (bucket or directory), `AccessDenied`,
 * `NoSpace`, `ArtifactMissing`, `ArtifactExists`, or, for anything that may pass by itself, `StoreUnavailable`.
 * Messages name the store and the key. An aborted call throws the signal's reason; an error of a `put`'s body comes out
 * as it went in.
 */
export interface Store {
  readonly name: string;
  /** Where it is, such as `s3://bucket/prefix`; two stores with the same are the same place. */
  readonly location: string;
  /** Whether this store takes this kind of artifact. */
  holds(kind: ArtifactKind): boolean;
  /** Reads and writes a small object of its own, to learn before a backup that the store works. */
  check(signal: AbortSignal): Promise<void>;
  /** What time it is by the clock of the store's own machine; undefined where it doesn't say. */
  now(signal: AbortSignal): Promise<Date | undefined>;
  /**
   * Writes an object that does not exist yet, whole or not at all: a reader never sees a part of it, and what fails or
   * is aborted leaves nothing behind. With an object already there it throws `ArtifactExists` and leaves that one as it
   * was.
   * @returns the size of what was written
   */
  put(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<{ bytes: number }>;
  /**
   * As `put`, for a body that can be sent again from its start, such as another store's copy: goes on with what an
   * attempt before has uploaded of the same bytes. What fails or is aborted leaves that for the next attempt, or for
   * `sweepParts`. Absent where it would spare nothing.
   */
  resume?(key: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<void>;
  /**
   * Writes a small object of this key, over one that is there: for notes such as a drill's result, never for an
   * artifact. A reader sees the old one or the new one, whole; in a versioned bucket the old one stays as an earlier
   * version.
   */
  replace(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Streams an object. A connection that breaks ends the stream with an error, never early without one. */
  get(key: string, signal: AbortSignal): Promise<Readable>;
  /** A small object such as a manifest, whole; undefined when it isn't there. Refuses more than 4 MiB. */
  read(key: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  head(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  /** Every object whose key begins with the prefix, in key order; hidden and partial ones left out. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;
  /** `locked`: the store keeps it by a lock of its own. */
  remove(key: string, signal: AbortSignal): Promise<'removed' | 'absent' | 'locked'>;
  /**
   * Removes what a killed process left of its `put`s of keys that begin with the prefix: partial files, unfinished
   * multipart uploads. Those younger than `olderThanMs` stay, unless it is certain that their process is gone; those
   * that this process is writing stay.
   * @returns how many were removed
   */
  sweepParts(prefix: string, olderThanMs: number, signal: AbortSignal): Promise<number>;
  close(): void;
}
