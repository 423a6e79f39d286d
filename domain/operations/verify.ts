/** The operation that proves a backup by a restore in scratch: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import type { Proof } from '../format/manifest.ts';
import { isBoolean, isDrillWish, isName } from '../input.ts';
import type { OperationRow } from './row.ts';

export interface VerifyInput {
  cluster: string;
  /**
   * A backup's name, `latest`, or `oldest-proof` for the good backup whose last drill is the longest ago. Default:
   * `latest` until that one is proven, then `oldest-proof`.
   */
  backup?: string;
  /** Read only from this store. Default: the copies in every store are read. */
  store?: string;
  /** As for a restore. */
  skipHashCheck?: boolean;
}

export interface VerifyReport {
  cluster: string;
  backup: BackupId;
  /** The store whose snapshot was restored. */
  store: string;
  proof: Proof;
  /**
   * A check that isn't `ok` says nothing against the backup itself: a store could not be read. `skipped`: the check
   * could not be done here.
   */
  checks: { name: string; ok: boolean; skipped?: boolean; seen: string }[];
  durationMs: number;
}

export const VERIFY = {
  title: 'Verify',
  effect: 'tries',
  schedulable: true,
  shape: { required: { cluster: isName }, optional: { backup: isDrillWish, store: isName, skipHashCheck: isBoolean } },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: ['Choose the backup', 'Read every copy and restore it in scratch', 'Keep the result beside the backup'],
} as const satisfies OperationRow<VerifyInput, VerifyReport>;
