/** What a list of backups shows about each. */
import type { BackupId } from '../format/keys.ts';
import type { Proof } from '../format/manifest.ts';

/** One backup as the stores show it. Every list is sorted, newest first. */
export interface CatalogueEntry {
  backup: BackupId;
  takenAt: string;
  /** The node's name in the configuration, or its address if the configuration no longer has the node. */
  node: string;
  /**
   * `complete`: every store that should have an artifact has it, unless the store pruned it by its own rules.
   * `degraded`: a store lacks a copy. `foreign`: a snapshot without a manifest, from another tool or an older script.
   * `broken`: the manifest can't be read, or it names an artifact that no store has.
   */
  state: 'complete' | 'degraded' | 'foreign' | 'broken';
  revision: string | null;
  /** Null for a snapshot without a manifest. */
  proof: Proof | null;
  pinned: boolean;
  stores: string[];
  bytes: number;
  /** What is wrong with it; absent when nothing is. */
  problem?: string;
}

/** Whether a restore may use it: each of its artifacts is in at least one store. */
export function isGood({ state }: Pick<CatalogueEntry, 'state'>): boolean {
  return state === 'complete' || state === 'degraded';
}
