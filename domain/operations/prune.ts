/** The operation that applies the stores' retention: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import { isBoolean, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface PruneInput {
  cluster: string;
  /** Prune only this store. */
  store?: string;
  /** Only report what would be removed. */
  dryRun?: boolean;
  /** Also apply the rules to snapshots without a manifest, such as those of older scripts and OpenShift. */
  includeForeign?: boolean;
  /** Remove more good backups than are kept, all at once: otherwise such a prune removes nothing. */
  removeMany?: boolean;
}

export interface PruneReport {
  cluster: string;
  dryRun: boolean;
  /** Why nothing may be removed at the moment, such as members or clocks that disagree; null without such a reason. */
  hold: string | null;
  stores: {
    store: string;
    kept: { backup: BackupId; reason: string }[];
    removed: { backup: BackupId; reason: string }[];
    /** Objects that belonged to no backup and were older than a day. */
    orphans: { key: string; bytes: number }[];
    /**
     * The numbers of entries that the lists leave out to keep the report small: the oldest kept backups, and whatever
     * the next prune will remove. Absent when the lists are complete.
     */
    more?: { kept: number; removed: number; orphans: number };
    /** Why this store could not be pruned. */
    error?: string;
    /** Why nothing was removed from this store; absent when there is no such reason. */
    hold?: string;
  }[];
}

export const PRUNE = {
  title: 'Prune',
  effect: 'changes',
  schedulable: true,
  shape: {
    required: { cluster: isName },
    optional: { store: isName, dryRun: isBoolean, includeForeign: isBoolean, removeMany: isBoolean },
  },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: ['Check that the members agree', 'Decide what <store> keeps', 'Prune <store>'],
} as const satisfies OperationRow<PruneInput, PruneReport>;
