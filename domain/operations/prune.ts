/** Applies the stores' retention: what goes in, what comes out, and what is known of it. */
import type { BackupId } from '../format/keys.ts';
import { isBoolean, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface PruneInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /** Decide and say, remove nothing. */
  dryRun?: boolean;
  /** Apply the rules to snapshots without a manifest as well: an older script's, OpenShift's. */
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
    /** What belonged to no backup and was older than a day. */
    orphans: { key: string; bytes: number }[];
    /**
     * What the lists leave out, because a report has to stay small: the oldest that are kept, and of the rest what the
     * next prune removes. Absent when they are whole.
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
