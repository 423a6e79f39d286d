/** Keeps a backup from being pruned: what goes in and what comes out. */
import type { BackupId } from '../format/keys.ts';

export interface PinInput {
  cluster: string;
  backup: BackupId;
  /** True: never pruned until it is unpinned. */
  pinned: boolean;
}

export interface PinReport {
  cluster: string;
  backup: BackupId;
  pinned: boolean;
  stores: string[];
}
