/** What operations share: how to find them in Temporal, and the answers that a person can give. */

/** The default task queue of the workers that host the operations. */
export const TASK_QUEUE = 'salvor';

/** The search attributes that operations carry; `salvor setup` registers them. */
export const SEARCH_ATTRIBUTES = { cluster: 'SalvorCluster', operation: 'SalvorOperation' } as const;

/** The workflow that holds a cluster while an operation changes it. */
export function lockWorkflowId(cluster: string): string {
  return `cluster/${cluster}`;
}

/** The memo of that workflow, which names the operation that holds the cluster. */
export function lockMemo(
  holder: string,
  run: string,
  operation: string,
): { holder: string; run: string; operation: string } {
  return { holder, run, operation };
}

/** The workflow ID of the holder, as a memo of {@link lockMemo} names it. */
export function holderIn(memo: Record<string, unknown> | undefined): string | undefined {
  const holder = memo?.['holder'];
  return typeof holder === 'string' ? holder : undefined;
}

/** The workflow and run that hold the cluster, as a memo of {@link lockMemo} names them. */
export function holdIn(memo: Record<string, unknown> | undefined): { holder: string; run: string } | undefined {
  const holder = holderIn(memo);
  const run = memo?.['run'];
  return holder !== undefined && typeof run === 'string' ? { holder, run } : undefined;
}

/**
 * The result of a scheduled run that found another operation on its cluster: it did nothing, and the schedule will
 * start the next run. An operation started by a person fails with `ClusterBusy` instead.
 */
export interface SkippedReport {
  cluster: string;
  state: 'skipped';
  /** Names the operation that held the cluster. */
  reason: string;
}

/** Whether an operation's result says that the run was skipped. */
export function isSkipped(report: unknown): report is SkippedReport {
  return typeof report === 'object' && report !== null && 'state' in report && report.state === 'skipped';
}

/** How long a restore waits for the approval of its plan. It then ends without having touched anything. */
export const APPROVAL_HOURS = 4;

/** The argument of the update `approve`. */
export interface Approval {
  /** The digest of the plan that the person has read. */
  digest: string;
  /** Who approves it, for the audit. */
  by?: string;
}

export const ON_FAILURE = ['pause', 'rollback'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** The answers that a person can give while a step waits. Each is the name of an update of the operation. */
export const DECISIONS = ['retry', 'rollback', 'abort'] as const;
export type Decision = (typeof DECISIONS)[number];
