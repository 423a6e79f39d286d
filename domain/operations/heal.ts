/** Copies what stores lack: what goes in, what comes out, and what is known of it. */
import type { BackupId } from '../format/keys.ts';
import { isBackup, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface HealInput {
  cluster: string;
  /** Only this backup, and every copy of it is read again. Without it, what is missing is copied. */
  backup?: BackupId;
}

export interface HealReport {
  cluster: string;
  healed: { backup: BackupId; key: string; from: string; to: string; bytes: number }[];
  failed: { backup: BackupId; key: string; to: string; error: string }[];
  /** Copies that are left for the next time: one operation heals 500, the newest first. */
  more: number;
  /** Stores that could not be read: what they lack is not known. */
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
