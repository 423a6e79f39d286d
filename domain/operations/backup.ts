/** The operation that takes a backup: its input, its report and its row. */
import { BACKUP_OVERRIDES, type BackupOverride } from '../backups/settled.ts';
import type { ArtifactKind, BackupId } from '../format/keys.ts';
import type { CopyState } from '../format/snapshot-source.ts';
import { isName, listOf, oneOf } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface BackupInput {
  cluster: string;
  /** The checks to skip. */
  override?: BackupOverride[];
}

export interface ArtifactReport {
  kind: ArtifactKind;
  /** The node that it was taken from, for artifacts that differ from node to node. */
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
  /** What should also have been kept, but could not be. */
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
