/** What operations share: how they are found in Temporal, what they report on the way, and what a person answers. */
import type { Operation } from './index.ts';

/** The task queue of workers that host the operations, unless they were told another. */
export const TASK_QUEUE = 'salvor';

/** The search attributes that operations carry; `salvor setup` registers them. */
export const SEARCH_ATTRIBUTES = { cluster: 'SalvorCluster', operation: 'SalvorOperation' } as const;

/** The workflow that holds a cluster while an operation changes it. */
export function lockWorkflowId(cluster: string): string {
  return `cluster/${cluster}`;
}

/**
 * What a run of a schedule gives that met another operation on its cluster, instead of its report: nothing was done, and the next run
 * comes by the schedule. Who starts an operation by himself gets the failure `ClusterBusy`.
 */
export interface SkippedReport {
  cluster: string;
  state: 'skipped';
  /** Names the operation that held the cluster. */
  reason: string;
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

/** One line of an operation's history that people read. */
export interface StepRecord {
  name: string;
  /** The node, or null for the cluster as a whole. */
  node: string | null;
  state: 'waiting' | 'running' | 'done' | 'failed';
  startedAt: string | null;
  durationMs: number | null;
  /** What was seen; short. */
  evidence: string | null;
}

/** The answer of the `progress` query. */
export interface Progress {
  operation: Operation;
  cluster: string;
  startedAt: string;
  /** What the operation does at the moment, in a few words. */
  doing: string;
  /** What a person has to decide, in words; null when nothing is waited for. */
  waitingFor: string | null;
  /** The digest of the plan that waits for its approval; absent when none does. */
  toApprove?: string;
  steps: StepRecord[];
}
