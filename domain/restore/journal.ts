/**
 * What a restore leaves beside each node's data directory before it touches the first component, and takes away when it
 * has ended: enough for a new operation to go on, or to put everything back, when the one that began it is gone. Plain
 * types: workflows read this file.
 */
import type { BackupId } from '../format/keys.ts';

/** How a node was found before it was touched. */
export interface FoundNode {
  name: string;
  etcd: 'running' | 'stopped';
  /** Null where there is none. */
  apiServer: 'running' | 'stopped' | null;
  dataDir: 'present' | 'missing';
}

export interface Journal {
  formatVersion: 1;
  cluster: string;
  /** In the names of everything that the restore puts on nodes. */
  operationId: string;
  /** The operation that wrote it. */
  workflowId: string;
  backup: BackupId;
  /** When the first component was about to be stopped. */
  touchedAt: string;
  /** A rollback that began is only finished: what was staged may be gone. */
  phase: 'changing' | 'rolling-back';
  /** Why it is rolled back; null before. */
  problem: string | null;
  revision: {
    /** The highest that a member gave before; null when none answered. */
    before: string | null;
    snapshot: string;
    /** The restored members are at this one or above. */
    floor: string;
  };
  clusterId: string | null;
  leader: string | null;
  /** The nodes whose members answered before, and whether they knew a leader. */
  up: string[];
  hadLeader: boolean;
  nodes: FoundNode[];
}

/** How far a node is: what lies beside its data directory, and what runs. */
export interface NodePosition {
  /** What this restore staged still waits beside the data directory. */
  staged: boolean;
  etcd: 'running' | 'stopped';
}

/**
 * Whether the restored cluster is above every revision that a client has seen: only then does a watch from before end.
 */
export function isRevisionRaised({ revision }: Journal): boolean {
  return revision.floor !== revision.snapshot;
}
