/** The operation that keeps a backup from being pruned: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import { isBackup, isBoolean, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface PinInput {
  cluster: string;
  backup: BackupId;
  /** True: the backup is not pruned until it is unpinned. */
  pinned: boolean;
}

export interface PinReport {
  cluster: string;
  backup: BackupId;
  pinned: boolean;
  stores: string[];
}

export const PIN = {
  title: 'Pin',
  effect: 'changes',
  schedulable: false,
  shape: { required: { cluster: isName, backup: isBackup, pinned: isBoolean }, optional: {} },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: ['Pin the backup', 'Unpin the backup'],
} as const satisfies OperationRow<PinInput, PinReport>;
