/** Restores a cluster: what goes in, what comes out, and what is known of it. */
import type { BackupId } from '../format/keys.ts';
import { isApproval, isBackup, isBoolean, isName, isTime, oneOf } from '../input.ts';
import type { AftercareFinding } from '../restore/aftercare.ts';
import { RESTORE_STEPS } from '../restore/steps.ts';
import { ON_FAILURE, type OnFailure } from './common.ts';
import type { PlanRestoreInput } from './plan-restore.ts';
import type { OperationRow } from './row.ts';
import type { StepRecord } from './steps.ts';

export interface RestoreInput extends PlanRestoreInput {
  /** The name of the cluster once more: a restore destroys the cluster's present state. */
  confirm: string;
  /**
   * The digest of the plan that was approved, or `auto` for whatever the plan says. Without it the restore draws its
   * plan and waits for the update `approve`.
   */
  approve?: string;
  /**
   * Takes over from a restore that began to change the cluster and whose operation is gone (terminated, or lost with
   * its Temporal server): goes on from where the nodes are, or puts everything back. No backup is chosen and no plan
   * drawn: the nodes' journals tell.
   */
  resume?: Resume;
  /**
   * What a step does that can't succeed once the cluster is touched: wait for a person (the default), or put everything
   * back.
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
  /** From the first kube-apiserver told to stop until every one answered again. */
  downtimeMs: number;
  /** `after` is null when the restore did not come so far. */
  revision: { before: string | null; snapshot: string; after: string | null };
  clusterId: { before: string | null; after: string | null };
  steps: StepRecord[];
  /** What was moved aside: the old data directories, or, after a rollback, the restored ones. */
  setAside: { node: string; path: string }[];
  /** What of the time before was found afterwards, and mended or left to a person; absent unless it was restored. */
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
