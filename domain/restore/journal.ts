/**
 * What a restore leaves beside each node's data directory before it writes anything else there, and takes away when it
 * has ended: enough for a new operation to go on, or to put everything back, when the one that began it is gone. Plain
 * types: workflows read this file.
 */
import type { BackupId } from '../format/keys.ts';

/** The state of a node before it was touched. */
export interface FoundNode {
  name: string;
  etcd: 'running' | 'stopped';
  /** Null when the node has no kube-apiserver. */
  apiServer: 'running' | 'stopped' | null;
  dataDir: 'present' | 'missing';
}

/** Whose a journal is. A reset gives an operation another run: that is somebody else, who knows only an old history. */
export interface RestoreRun {
  /** In the names of everything that the restore puts on nodes. Two that begin in one second have the same. */
  operationId: string;
  workflowId: string;
  runId: string;
}

export interface Journal extends RestoreRun {
  formatVersion: 1;
  cluster: string;
  /** Where the operation runs: the address of Temporal, and the namespace. The worker that writes it adds this. */
  temporal?: string | undefined;
  backup: BackupId;
  /** When the first component was about to be stopped; in `preparing` when staging began. */
  touchedAt: string;
  /**
   * `preparing`: nothing was touched, and data is being staged. A rollback that began is only finished: what was staged
   * may be gone.
   */
  phase: 'preparing' | 'changing' | 'rolling-back';
  /** The reason for the rollback; null before one begins. */
  problem: string | null;
  revision: {
    /** The highest revision that a member reported before the restore; null when none answered. */
    before: string | null;
    snapshot: string;
    /** The restored members are at this revision or above. */
    floor: string;
  };
  clusterId: string | null;
  leader: string | null;
  /** The nodes whose members answered before the restore, and whether they had a leader. */
  up: string[];
  hadLeader: boolean;
  nodes: FoundNode[];
}

/**
 * Where what a restore staged for a node is: beside the data directory, in its place, or neither. That it is not beside
 * it doesn't prove that it is in its place.
 */
export type NewData = 'staged' | 'in place' | 'gone';

/** How far a node is: where its new data is, and what runs. */
export interface NodePosition {
  newData: NewData;
  etcd: 'running' | 'stopped';
}

/** Only whose it is, of something that says more. */
export function runOf({ operationId, workflowId, runId }: RestoreRun): RestoreRun {
  return { operationId, workflowId, runId };
}

/** Whether two are the same run of the same restore. */
export function isSameRun(a: RestoreRun, b: RestoreRun): boolean {
  return a.operationId === b.operationId && a.workflowId === b.workflowId && a.runId === b.runId;
}

/**
 * Whether the restored cluster is above every revision that a client has seen. Only then do watches from before end.
 */
export function isRevisionRaised({ revision }: Journal): boolean {
  return revision.floor !== revision.snapshot;
}
