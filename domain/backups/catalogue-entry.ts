/** One backup as a list shows it. */
import type { BackupId } from '../format/keys.ts';
import type { Proof } from '../format/manifest.ts';

/** One backup as the stores show it, newest first in every list. */
export interface CatalogueEntry {
  backup: BackupId;
  takenAt: string;
  /** The name of the node in the configuration, or its address when it isn't there any more. */
  node: string;
  /**
   * `complete`: every artifact in every store that was to have it, and hasn't pruned it by its own rules. `degraded`:
   * some store lacks a copy. `foreign`: a snapshot without a manifest, of another tool or an older script. `broken`: a
   * manifest with an artifact that no store has, or that can't be read.
   */
  state: 'complete' | 'degraded' | 'foreign' | 'broken';
  revision: string | null;
  /** Null for a snapshot without a manifest. */
  proof: Proof | null;
  pinned: boolean;
  stores: string[];
  bytes: number;
  /** What is wrong with it, when something is. */
  problem?: string;
}

/** Whether a restore may take it: every artifact is in some store at least. */
export function isGood({ state }: Pick<CatalogueEntry, 'state'>): boolean {
  return state === 'complete' || state === 'degraded';
}
