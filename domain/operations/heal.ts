/** The operation that copies to stores what they lack: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import { isBackup, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface HealInput {
  cluster: string;
  /** Heal only this backup, and read every copy of it again. Default: copy what is missing of all backups. */
  backup?: BackupId;
}

export interface HealReport {
  cluster: string;
  healed: { backup: BackupId; key: string; from: string; to: string; bytes: number }[];
  failed: { backup: BackupId; key: string; to: string; error: string }[];
  /** The number of copies left for the next run: one operation heals at most 500, newest first. */
  more: number;
  /** Stores that could not be read, so it isn't known what they lack. */
  unreadable: { store: string; error: string }[];
}

export const HEAL = {
  title: 'Heal',
  effect: 'changes',
  schedulable: false,
  shape: { required: { cluster: isName }, optional: { backup: isBackup } },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: ['Find what the stores lack', 'Copy what <store> lacks'],
} as const satisfies OperationRow<HealInput, HealReport>;
