/** What a restore would do: what goes in, what comes out, and what is known of it. */
import type { BackupId } from '../format/keys.ts';
import { isBackup, isBoolean, isName, isTime } from '../input.ts';
import type { RestorePlan } from '../restore/plan.ts';
import { PLANNING_STEPS } from '../restore/steps.ts';
import type { OperationRow } from './row.ts';

/** Which backup a cluster is restored from. */
export interface PlanRestoreInput {
  cluster: string;
  /** A backup's name, or `latest`: the newest good one, which is the default. */
  backup?: BackupId;
  /** Instead of a backup: the newest good one that was taken at this time or before it; ISO 8601 with a time zone. */
  at?: string;
  /** Read from this store only. */
  store?: string;
  /**
   * For a snapshot without a manifest that was copied from a data directory: it has no hash at its end, and without
   * this it is refused.
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
