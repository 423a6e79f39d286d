/** What operations share: how they are found in Temporal, and what a person answers. */

/** The task queue of workers that host the operations, unless they were told another. */
export const TASK_QUEUE = 'salvor';

/** The search attributes that operations carry; `salvor setup` registers them. */
export const SEARCH_ATTRIBUTES = { cluster: 'SalvorCluster', operation: 'SalvorOperation' } as const;

/** The workflow that holds a cluster while an operation changes it. */
export function lockWorkflowId(cluster: string): string {
  return `cluster/${cluster}`;
}

/** What that workflow says of the operation that holds the cluster. */
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
 * What a run of a schedule gives that met another operation on its cluster, instead of its report: nothing was done,
 * and the next run comes by the schedule. Who starts an operation by himself gets the failure `ClusterBusy`.
 */
export interface SkippedReport {
  cluster: string;
  state: 'skipped';
  /** Names the operation that held the cluster. */
  reason: string;
}

/** Whether what an operation gave is that of a run that was skipped. */
export function isSkipped(report: unknown): report is SkippedReport {
  return typeof report === 'object' && report !== null && 'state' in report && report.state === 'skipped';
}

/** How long a restore waits for its plan's approval; then it ends, and nothing was touched. */
export const APPROVAL_HOURS = 4;

/** The argument of the update `approve`. */
export interface Approval {
  /** Of the plan that was read. */
  digest: string;
  /** Who approves it, for the audit. */
  by?: string;
}

export const ON_FAILURE = ['pause', 'rollback'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** What a person can answer when a step waits; each is the name of an update of the operation. */
export const DECISIONS = ['retry', 'rollback', 'abort'] as const;
export type Decision = (typeof DECISIONS)[number];
