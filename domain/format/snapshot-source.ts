/** Where a backup's snapshot is and what is known about it: what a drill or a restore reads. Pure. */
import type { Compression, BackupId } from './keys.ts';
import { artifactOf, type Digest, type Manifest } from './manifest.ts';
import { SalvorError } from '../errors.ts';

export interface SnapshotSource {
  backup: BackupId;
  takenAt: string;
  key: string;
  compression: Compression;
  encrypted: boolean;
  /** The stores that have it, in the order in which they will be tried. */
  stores: string[];
  /** Absent for a snapshot without a manifest. */
  expected?: { content: Digest; stored: Digest };
  /**
   * Whether it may be a file copied from a data directory, which has no hash at its end. Only for a snapshot without a
   * manifest.
   */
  skipHashCheck?: boolean;
  /** What the manifest says about it; absent without a manifest. */
  etcd?: Manifest['etcd'];
}

/**
 * The snapshot of a manifest.
 * @throws SalvorError `BackupCorrupt` when the manifest names no snapshot, or gives it a compression that snapshots
 * don't have
 */
export function snapshotSourceOf(manifest: Manifest): SnapshotSource {
  const artifact = artifactOf(manifest, 'snapshot');
  if (artifact === undefined || artifact.compression === 'gzip') {
    throw new SalvorError(
      'BackupCorrupt',
      `the manifest of ${manifest.cluster} ${manifest.backup} does not describe an etcd snapshot`,
    );
  }
  const { key, compression, encrypted, stores, content, stored } = artifact;
  const { backup, takenAt, etcd } = manifest;
  return { backup, takenAt, key, compression, encrypted, stores, expected: { content, stored }, etcd };
}

/**
 * The same source, marked as a file that may have been copied from a data directory.
 * @throws SalvorError `InvalidInput` for a backup with a manifest, because Salvor's own snapshots always have a hash
 */
export function withoutHashCheck<S extends SnapshotSource>(source: S): S {
  if (source.expected === undefined) return { ...source, skipHashCheck: true };
  throw new SalvorError(
    'InvalidInput',
    `backup ${source.backup} has a manifest, so its snapshot has a hash; skipHashCheck is for a file that was copied from a data directory. Leave it out`,
  );
}

export type CopyState = 'complete' | 'failed';

/** The result of sending an artifact to one store. */
export interface SentCopy {
  store: string;
  state: CopyState;
  error?: string;
  /** It was read back, and is exactly what was sent. */
  readBack?: true;
}

/** The result of streaming one snapshot out of etcd. */
export interface SnapshotTaken {
  backup: BackupId;
  takenAt: string;
  key: string;
  compression: Compression;
  encrypted: boolean;
  content: Digest;
  stored: Digest;
  copies: SentCopy[];
  etcd: Manifest['etcd'];
}
