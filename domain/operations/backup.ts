/** Takes a backup: what goes in and what comes out. */
import type { BackupOverride } from '../backups/settled.ts';
import type { ArtifactKind, BackupId } from '../format/keys.ts';
import type { CopyState } from '../format/snapshot-source.ts';

export interface BackupInput {
  cluster: string;
  /** Checks that count as passed. */
  override?: BackupOverride[];
}

export interface ArtifactReport {
  kind: ArtifactKind;
  /** The node that it is of, for what differs from node to node. */
  node?: string;
  /** As stored: after compression and encryption. */
  bytes: number;
  sha256: string;
  copies: { store: string; key: string; state: CopyState; error?: string }[];
}

export interface BackupReport {
  backup: BackupId;
  cluster: string;
  node: string;
  takenAt: string;
  state: 'complete' | 'degraded';
  revision: string;
  totalKeys: number;
  artifacts: ArtifactReport[];
  /** What should have been kept as well and could not be. */
  lacking?: { kind: ArtifactKind; node: string; reason: string }[];
  durationMs: number;
}
