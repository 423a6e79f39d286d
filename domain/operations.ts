/**
 * What goes into and comes out of each operation: the contract of the Temporal UI's start form, the command line's JSON and
 * the client library. Plain types, no zod: workflows read this file.
 */
import type { AftercareFinding } from './aftercare.ts';
import type { ArtifactKind, BackupId } from './names.ts';
import type { Proof } from './manifest.ts';

/** The task queue of workers that host the operations, unless they were told another. */
export const TASK_QUEUE = 'salvor';

/** The search attributes that operations carry; `salvor setup` registers them. */
export const SEARCH_ATTRIBUTES = { cluster: 'SalvorCluster', operation: 'SalvorOperation' } as const;

/** The workflow that holds a cluster while an operation changes it. */
export function lockWorkflowId(cluster: string): string {
  return `cluster/${cluster}`;
}

export const OPERATIONS = [
  'backup',
  'prune',
  'pin',
  'verify',
  'planRestore',
  'restore',
  'cleanUp',
  'heal',
  'replaceMember',
  'listBackups',
  'listMembers',
  'checkCluster',
] as const;
export type Operation = (typeof OPERATIONS)[number];

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

// ---- backup

/** The checks before a backup that can be overridden by name. */
export const BACKUP_OVERRIDES = ['young-cluster', 'rollout'] as const;
export type BackupOverride = (typeof BACKUP_OVERRIDES)[number];

export interface BackupInput {
  cluster: string;
  /** Checks that count as passed. */
  override?: BackupOverride[];
}

export type CopyState = 'complete' | 'failed';

export interface ArtifactReport {
  kind: ArtifactKind;
  /** The node that it is of, for what differs from node to node. */
  node?: string;
  /** As stored: after compression and encryption. */
  bytes: number;
  sha256: string;
  copies: { store: string; key: string; state: CopyState; error?: string }[];
}

export interface BackupReport {
  backup: BackupId;
  cluster: string;
  node: string;
  takenAt: string;
  state: 'complete' | 'degraded';
  revision: string;
  totalKeys: number;
  artifacts: ArtifactReport[];
  /** What should have been kept as well and could not be. */
  lacking?: { kind: ArtifactKind; node: string; reason: string }[];
  durationMs: number;
}

// ---- backups

export interface ListBackupsInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /** Only backups that are older than the one of this name: the next page begins before the last name of the one before. */
  before?: BackupId;
  /** At most so many; 1 or more. Default: as many as go through Temporal at once, about 2,000. */
  limit?: number;
}

/** One backup as the stores show it, newest first in every list. */
export interface CatalogueEntry {
  backup: BackupId;
  takenAt: string;
  /** The name of the node in the configuration, or its address when it isn't there any more. */
  node: string;
  /**
   * `complete`: every artifact in every store that was to have it, and hasn't pruned it by its own rules. `degraded`: some store lacks a copy. `foreign`: a snapshot
   * without a manifest, of another tool or an older script. `broken`: a manifest with an artifact that no store has, or that can't be read.
   */
  state: 'complete' | 'degraded' | 'foreign' | 'broken';
  revision: string | null;
  /** Null for a snapshot without a manifest. */
  proof: Proof | null;
  pinned: boolean;
  stores: string[];
  bytes: number;
  /** What is wrong with it, when something is. */
  problem?: string;
}

export interface ListBackupsReport {
  cluster: string;
  backups: CatalogueEntry[];
  /** So many older ones are not in this page; absent when there are none. The client library and the command line ask for all pages. */
  more?: number;
  /** Stores that could not be read: the list may lack what only they have. */
  unreadable: { store: string; error: string }[];
}

// ---- restore

/** Which backup a cluster is restored from. */
export interface PlanRestoreInput {
  cluster: string;
  /** A backup's name, or `latest`: the newest good one, which is the default. */
  backup?: BackupId;
  /** Instead of a backup: the newest good one that was taken at this time or before it; ISO 8601 with a time zone. */
  at?: string;
  /** Read from this store only. */
  store?: string;
  /** For a snapshot without a manifest that was copied from a data directory: it has no hash at its end, and without this it is refused. */
  skipHashCheck?: boolean;
}

export interface RestoreInput extends PlanRestoreInput {
  /** The name of the cluster once more: a restore destroys the cluster's present state. */
  confirm: string;
  /** The digest of the plan that was approved, or `auto` for whatever the plan says. Without it the restore draws its plan and waits for the update `approve`. */
  approve?: string;
  /**
   * Takes over from a restore that began to change the cluster and whose operation is gone (terminated, or lost with its Temporal server):
   * goes on from where the nodes are, or puts everything back. No backup is chosen and no plan drawn: the nodes' journals tell.
   */
  resume?: Resume;
  /** What a step does that can't succeed once the cluster is touched: wait for a person (the default), or put everything back. */
  onFailure?: OnFailure;
}

export const RESUMES = ['forward', 'rollback'] as const;
export type Resume = (typeof RESUMES)[number];

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

// ---- clean-up of what restores moved aside

export interface CleanUpInput {
  cluster: string;
  /** The name of the cluster once more: what is removed is the way back. Not needed with `dryRun`. */
  confirm?: string;
  /** Say what there is, remove nothing. */
  dryRun?: boolean;
}

export interface CleanUpReport {
  cluster: string;
  dryRun: boolean;
  /** Data directories that restores and rollbacks moved aside. */
  removed: { node: string; path: string; bytes: number }[];
}

// ---- prune and pins

export interface PruneInput {
  cluster: string;
  /** Only this store. */
  store?: string;
  /** Decide and say, remove nothing. */
  dryRun?: boolean;
  /** Apply the rules to snapshots without a manifest as well: an older script's, OpenShift's. */
  includeForeign?: boolean;
}

export interface PruneReport {
  cluster: string;
  dryRun: boolean;
  /** Why nothing may be removed at the moment, such as members that disagree; null when there is no such reason. */
  hold: string | null;
  stores: {
    store: string;
    kept: { backup: BackupId; reason: string }[];
    removed: { backup: BackupId; reason: string }[];
    /** What belonged to no backup and was older than a day. */
    orphans: { key: string; bytes: number }[];
    /**
     * What the lists leave out, because a report has to stay small: the oldest that are kept, and of the rest what the next prune removes. Absent when
     * they are whole.
     */
    more?: { kept: number; removed: number; orphans: number };
    /** Why this store could not be pruned. */
    error?: string;
  }[];
}

export interface PinInput {
  cluster: string;
  backup: BackupId;
  /** True: never pruned until it is unpinned. */
  pinned: boolean;
}

export interface PinReport {
  cluster: string;
  backup: BackupId;
  pinned: boolean;
  stores: string[];
}

// ---- heal

export interface HealInput {
  cluster: string;
  /** Only this backup, and every copy of it is read again. Without it, what is missing is copied. */
  backup?: BackupId;
}

export interface HealReport {
  cluster: string;
  healed: { backup: BackupId; key: string; from: string; to: string; bytes: number }[];
  failed: { backup: BackupId; key: string; to: string; error: string }[];
  /** Copies that are left for the next time: one operation heals 500, the newest first. */
  more: number;
  /** Stores that could not be read: what they lack is not known. */
  unreadable: { store: string; error: string }[];
}

// ---- verify

export interface VerifyInput {
  cluster: string;
  /**
   * A backup's name, `latest`, or `oldest-proof`: the good one whose last drill is the longest ago. Default: `latest` until it is
   * proven, then `oldest-proof`.
   */
  backup?: string;
  /** Read from this store only; otherwise every store's copies are read. */
  store?: string;
  /** As in a restore. */
  skipHashCheck?: boolean;
}

export interface VerifyReport {
  cluster: string;
  backup: BackupId;
  /** The store whose snapshot was restored. */
  store: string;
  proof: Proof;
  /** One that isn't `ok` says nothing against the backup itself: a store could not be read. `skipped`: it could not be done here. */
  checks: { name: string; ok: boolean; skipped?: boolean; seen: string }[];
  durationMs: number;
}

// ---- members

/**
 * What a member is, in one word. `healthy` and `unknown` answer and vote; the others want something done about them.
 *
 * `leaderless`: it answers and knows no leader. `corrupt`: its keys differ from the others', or etcd has raised the CORRUPT alarm for it. `astray`: it answers,
 * but not as a member of this cluster. `learner`: never promoted. `not-started`: added, and never heard of. `stopped`, `crash-looping`, `silent` (runs, and doesn't answer)
 * and `node-unreachable` don't answer. `moved`: etcd has it under another address than the configuration. `missing`: the node has none.
 * `gone` and `unknown`: etcd has it and the configuration doesn't; the first doesn't answer, the second does.
 */
export type MemberState =
  | 'healthy'
  | 'leaderless'
  | 'corrupt'
  | 'astray'
  | 'learner'
  | 'not-started'
  | 'stopped'
  | 'crash-looping'
  | 'silent'
  | 'node-unreachable'
  | 'moved'
  | 'missing'
  | 'gone'
  | 'unknown';

/** One member, as etcd and its node show it. What nobody tells is null. */
export interface MemberEntry {
  /** The node of the configuration; null for a member that none has. */
  node: string | null;
  /** The member's name in etcd, or the one that it is to have. */
  name: string;
  /** Decimal; null while etcd has no such member. */
  id: string | null;
  peerUrls: string[];
  state: MemberState;
  /** Why it is said to be so. */
  seen: string;
  role: 'leader' | 'follower' | 'learner' | null;
  version: string | null;
  revision: string | null;
  dbSizeBytes: number | null;
  dbSizeInUseBytes: number | null;
  /** How many entries of etcd's log it is behind the most advanced member. */
  raftLag: number | null;
  alarms: string[];
  /** Whether its keys are those of the majority, at one revision. Null when it could not be compared. */
  hash: 'agrees' | 'differs' | null;
}

/** How many members vote, how many of them are needed, and how many are there. */
export interface Quorum {
  voters: number;
  needed: number;
  up: number;
}

export interface ListMembersInput {
  cluster: string;
}

export interface ListMembersReport {
  cluster: string;
  /** Null when no member answers; then nothing is known of the votes either. */
  clusterId: string | null;
  quorum: Quorum | null;
  members: MemberEntry[];
}

export interface ReplaceMemberInput {
  cluster: string;
  /** The name of the cluster once more: a member and its data are taken out of it. */
  confirm: string;
  /** Without it the one unhealthy member is replaced. */
  node?: string;
  /** Replace the named node's member although nothing is wrong with it. */
  healthy?: boolean;
}

export interface ReplaceMemberReport {
  cluster: string;
  node: string;
  outcome: 'replaced' | 'rolled-back' | 'aborted';
  /** Why it was not replaced; null when it was. */
  problem: string | null;
  /** What was wrong with it. */
  found: { state: MemberState; seen: string };
  /** The member that was taken out; null when there was none. */
  removed: { id: string; name: string; peerUrls: string[] } | null;
  /** The ID of the new member; null when it did not come so far. */
  added: string | null;
  before: MemberEntry[];
  /** Null when the cluster did not answer any more. */
  after: MemberEntry[] | null;
  /** What was saved first. */
  backup: BackupId;
  /** Old data, old configuration and old certificates, moved aside. */
  setAside: { node: string; path: string }[];
  /** What is left for a person, a sentence each. */
  toDo: string[];
  steps: StepRecord[];
  workflowId: string;
}

// ---- doctor

export interface CheckClusterInput {
  cluster: string;
}

export interface CheckClusterReport {
  cluster: string;
  checks: { name: string; ok: boolean; seen: string; advice?: string }[];
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
