/** Takes a backup: what goes in, what comes out, and what is known of it. */
import { BACKUP_OVERRIDES, type BackupOverride } from '../backups/settled.ts';
import type { ArtifactKind, BackupId } from '../format/keys.ts';
import type { CopyState } from '../format/snapshot-source.ts';
import { isName, listOf, oneOf } from '../input.ts';
import type { OperationRow } from './row.ts';

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

export const BACKUP = {
  title: 'Back up',
  effect: 'changes',
  schedulable: true,
  shape: { required: { cluster: isName }, optional: { override: listOf(oneOf(...BACKUP_OVERRIDES)) } },
  subjectOf: ({ cluster }) => cluster,
  endOf: ({ state }) => (state === 'complete' ? 'done' : state),
  steps: [
    'Check that the cluster has settled',
    'Check the members and choose one',
    'Check the stores',
    'Stream the snapshot',
    'Keep the static resources',
    'Read the copies back',
    'Write the manifest',
  ],
} as const satisfies OperationRow<BackupInput, BackupReport>;
