/** What a trial restore has seen. */
import type { Digest } from '../format/manifest.ts';
import type { Changes } from './changes.ts';

export interface TrialResult {
  /** The store whose copy was read. */
  store: string;
  /** Of the bytes that were restored: every member starts from these and no others. */
  content: Digest;
  revision: string;
  totalKeys: number;
  /** The restored member's keys had the hash that the source had. Null when that can't be compared. */
  hashAgrees: boolean | null;
  /** What a restore of it changes in the cluster as it is now; null when no live member could be read. */
  changes: Changes | null;
  /** Why that isn't known. */
  changesProblem?: string;
}
