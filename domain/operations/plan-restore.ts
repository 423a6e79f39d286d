/** The operation that plans a restore: its input and its row. Its report is the plan. */
import type { BackupId } from '../format/keys.ts';
import { isBackup, isBoolean, isName, isTime } from '../input.ts';
import type { RestorePlan } from '../restore/plan.ts';
import { PLANNING_STEPS } from '../restore/steps.ts';
import type { OperationRow } from './row.ts';

/** Which backup a cluster is restored from. */
export interface PlanRestoreInput {
  cluster: string;
  /** A backup's name, or `latest` for the newest good one. Default: `latest`. */
  backup?: BackupId;
  /** Instead of `backup`: choose the newest good one taken at or before this time; ISO 8601 with a time zone. */
  at?: string;
  /** Read from this store only. */
  store?: string;
  /**
   * Accept a snapshot without a hash at its end. Needed for a file that was copied from a data directory; only for
   * snapshots without a manifest.
   */
  skipHashCheck?: boolean;
}

export const PLAN_RESTORE = {
  title: 'Plan a restore of',
  effect: 'tries',
  schedulable: false,
  shape: {
    required: { cluster: isName },
    optional: { backup: isBackup, at: isTime, store: isName, skipHashCheck: isBoolean },
  },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: PLANNING_STEPS,
} as const satisfies OperationRow<PlanRestoreInput, RestorePlan>;
