/** Copies what stores lack: what goes in and what comes out. */
import type { BackupId } from '../format/keys.ts';

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
