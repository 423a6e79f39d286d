/** The parts of a backup, as a drill reads them. */
import type { Manifest, ManifestArtifact } from '../../domain/format/manifest.ts';
import { type SnapshotSource, snapshotSourceOf } from '../../domain/format/snapshot-source.ts';
import { isIntended } from '../../domain/backups/found-backup.ts';
import { ARTIFACTS } from '../../domain/format/keys.ts';
import type { Copy } from '../snapshots/read-copy.ts';

export interface Piece {
  /** For example `snapshot`, or `static-resources of m2`. */
  name: string;
  copy: Copy;
  isSnapshot: boolean;
  /** Whether a snapshot without a hash is accepted. */
  skipHashCheck?: boolean;
  /** Whether a store must have it. */
  isDue: (store: string) => boolean;
}

export interface Pieces {
  snapshot: SnapshotSource;
  /** The snapshot among the pieces. */
  all: Piece[];
}

/**
 * Everything that a manifest names.
 * @param withManifest the stores that have the manifest, which proves that they once had everything
 * @throws SalvorError `BackupCorrupt` for a manifest without a snapshot
 */
export function piecesOf(manifest: Manifest, withManifest: string[]): Pieces {
  const all = manifest.artifacts.map((artifact) => {
    const { kind, content, stored } = artifact;
    return {
      name: nameOf(artifact),
      copy: { ...artifact, expected: { content, stored } },
      isSnapshot: ARTIFACTS[kind].drill === 'restore',
      isDue: (store: string) => withManifest.includes(store) && isIntended(manifest, artifact, store),
    };
  });
  return { snapshot: snapshotSourceOf(manifest), all };
}

/** A snapshot without a manifest. */
export function foreignPieces(snapshot: SnapshotSource): Pieces {
  const isDue = (store: string) => snapshot.stores.includes(store);
  return {
    snapshot,
    all: [
      { name: 'snapshot', copy: snapshot, isSnapshot: true, isDue, skipHashCheck: snapshot.skipHashCheck ?? false },
    ],
  };
}

function nameOf({ kind, node }: ManifestArtifact): string {
  return node === undefined ? kind : `${kind} of ${node}`;
}
