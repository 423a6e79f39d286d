/** The operation that restores a cluster: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import { isApproval, isBackup, isBoolean, isName, isTime, oneOf } from '../input.ts';
import type { AftercareFinding } from '../restore/aftercare.ts';
import { RESTORE_STEPS } from '../restore/steps.ts';
import { ON_FAILURE, type OnFailure } from './common.ts';
import type { PlanRestoreInput } from './plan-restore.ts';
import type { OperationRow } from './row.ts';
import type { StepRecord } from './steps.ts';

export interface RestoreInput extends PlanRestoreInput {
  /** The cluster's name again: a restore replaces the cluster's present state. */
  confirm: string;
  /**
   * The digest of the approved plan, or `auto` to accept any plan. Without it, the restore makes its plan and waits for
   * the update `approve`.
   */
  approve?: string;
  /**
   * Takes over from a restore that began to change the cluster and whose operation is lost (terminated, or gone with
   * its Temporal server): either continues it or puts everything back. The nodes' journals say what to do, so no backup
   * is chosen and no plan is made.
   */
  resume?: Resume;
  /**
   * What happens if a step can't succeed once the cluster has been touched: wait for a person (`pause`, the default),
   * or put everything back (`rollback`).
   */
  onFailure?: OnFailure;
}

export const RESUMES = ['forward', 'rollback'] as const;
export type Resume = (typeof RESUMES)[number];

export interface RestoreReport {
  cluster: string;
  backup: BackupId;
  outcome: 'restored' | 'rolled-back' | 'aborted';
  /** Why it was not restored; null when it was. */
  problem: string | null;
  /** From the first stop of a kube-apiserver until all of them answered again. */
  downtimeMs: number;
  /** `after` is null when the restore did not get that far. */
  revision: { before: string | null; snapshot: string; after: string | null };
  clusterId: { before: string | null; after: string | null };
  steps: StepRecord[];
  /** What was moved aside: the old data directories or, after a rollback, the restored ones. */
  setAside: { node: string; path: string }[];
  /** What was left over from before the restore, and was fixed or left to a person; absent if it was not restored. */
  aftercare?: AftercareFinding[];
  workflowId: string;
}

export const RESTORE = {
  title: 'Restore',
  effect: 'changes',
  schedulable: false,
  shape: {
    required: { cluster: isName, confirm: isName },
    optional: {
      backup: isBackup,
      at: isTime,
      store: isName,
      skipHashCheck: isBoolean,
      approve: isApproval,
      resume: oneOf(...RESUMES),
      onFailure: oneOf(...ON_FAILURE),
    },
  },
  subjectOf: ({ cluster }) => cluster,
  endOf: ({ outcome }) => (outcome === 'restored' ? 'done' : outcome),
  steps: RESTORE_STEPS,
} as const satisfies OperationRow<RestoreInput, RestoreReport>;
