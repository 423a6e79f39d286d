/** The result of a trial restore. */
import type { Digest } from '../format/manifest.ts';
import type { Changes } from './changes.ts';

export interface TrialResult {
  /** The store whose copy was read. */
  store: string;
  /** The digest of the restored bytes. Every member will start from exactly these bytes. */
  content: Digest;
  revision: string;
  totalKeys: number;
  /** Whether the restored member's keys have the same hash as the source. Null when they can't be compared. */
  hashAgrees: boolean | null;
  /** What a restore of this backup would change in the live cluster; null when no live member could be read. */
  changes: Changes | null;
  /** Why the changes aren't known. */
  changesProblem?: string;
}
