/** Where one backup's snapshot lies and what is known of it: what a drill or a restore reads. Pure. */
import type { Compression, BackupId } from './keys.ts';
import { artifactOf, type Digest, type Manifest } from './manifest.ts';
import { SalvorError } from '../errors.ts';

export interface SnapshotSource {
  backup: BackupId;
  takenAt: string;
  key: string;
  compression: Compression;
  encrypted: boolean;
  /** The stores that have it, in the order in which they are tried. */
  stores: string[];
  /** Absent for a snapshot without a manifest. */
  expected?: { content: Digest; stored: Digest };
  /**
   * Whether it may be a file copied from a data directory, which has no hash at its end; only for one without a
   * manifest.
   */
  skipHashCheck?: boolean;
  /** What the manifest says of it; absent without one. */
  etcd?: Manifest['etcd'];
}

/**
 * The snapshot of a manifest.
 * @throws SalvorError `BackupCorrupt` when the manifest has none, or one in a compression that no snapshot has
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
 * The same, when it may have been copied from a data directory.
 * @throws SalvorError `InvalidInput` for a backup with a manifest: Salvor never made one without a hash
 */
export function withoutHashCheck<S extends SnapshotSource>(source: S): S {
  if (source.expected === undefined) return { ...source, skipHashCheck: true };
  throw new SalvorError(
    'InvalidInput',
    `backup ${source.backup} has a manifest, so its snapshot has a hash; skipHashCheck is for a file that was copied from a data directory. Leave it out`,
  );
}

export type CopyState = 'complete' | 'failed';

/** How sending an artifact to one store went. */
export interface SentCopy {
  store: string;
  state: CopyState;
  error?: string;
  /** It was read again meanwhile, and is what was sent. */
  readBack?: true;
}

/** What one stream out of etcd became. */
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
