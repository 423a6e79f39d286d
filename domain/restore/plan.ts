/** The plan of a restore, which a person approves before anything is touched. Pure. */
import type { Changes } from './changes.ts';
import type { ClusterNode } from '../configuration/nodes.ts';
import type { Cluster } from '../configuration/resolve.ts';
import { SalvorError } from '../errors.ts';
import type { FoundNode } from './journal.ts';
import type { Proof } from '../format/manifest.ts';
import { answering, type MemberInspection } from '../members/members.ts';
import type { BackupId } from '../format/keys.ts';
import { cannotRaiseRevision, raiseAbove } from './revision.ts';
import { plannedNode, restoreSteps } from './steps.ts';
import type { SnapshotSource } from '../format/snapshot-source.ts';
import { minorVersionOf } from '../etcd-version.ts';

/** A backup that was chosen for a restore. */
export interface ChosenBackup extends SnapshotSource {
  /** What its last drill proved; null for a snapshot without a manifest. */
  proof: Proof | null;
  state: 'complete' | 'degraded' | 'foreign' | 'broken';
}

/** What was seen of a node. */
export interface PlannedNodeState extends FoundNode {
  address: string;
  freeBytes: number;
  /** The tool that writes the new data directory, and its version. */
  etcdutl: string;
  /** Whether this tool can't raise the revision. */
  leavesRevision?: boolean;
}

/** The report of `salvor restore --plan`, and the plan that a person approves. */
export interface RestorePlan {
  cluster: string;
  backup: BackupId;
  takenAt: string;
  /**
   * The digest that an approval names. It covers what the restore does: the bytes, the nodes with their state, the
   * members and the steps.
   */
  digest: string;
  proof: Proof | null;
  /** What the trial restore saw, and the store whose copy it read. */
  trial: { store: string; sha256: string; revision: string; totalKeys: number; hashAgrees: boolean | null };
  /** The present state, as the members report it. */
  before: {
    revision: string | null;
    clusterId: string | null;
    leader: string | null;
    up: string[];
    hadLeader: boolean;
  };
  /** How many revisions the live cluster is ahead of the backup; null when no member answers. */
  revisionGap: string | null;
  /** The restored members begin at this revision or above. */
  revisionFloor: string;
  /** How far the revision is raised above the snapshot's; null when a node's tool can't raise it (see `warnings`). */
  bumpRevision: string | null;
  /** What the restore removes, brings back and reverts; null when no live member could be read. */
  changes: Changes | null;
  nodes: PlannedNodeState[];
  /** The members of the restored cluster. */
  members: { name: string; peerUrl: string }[];
  versions: { snapshot: string | null; members: { node: string; version: string }[] };
  steps: { name: string; node: string | null }[];
  /** The longest downtime of this cluster's last restores; null when none is on record. */
  expectedDowntimeMs: number | null;
  warnings: string[];
}

/** The facts that the plan is made from. */
export interface PlanFacts {
  cluster: Cluster;
  source: ChosenBackup;
  members: MemberInspection[];
  trial: RestorePlan['trial'];
  changes: Changes | null;
  changesProblem?: string;
  nodes: PlannedNodeState[];
}

/** The members that answer, their leader, and the highest revision that they report. */
export function presentState(members: MemberInspection[]): RestorePlan['before'] {
  const up = answering(members);
  const revisions = up.map(({ status }) => BigInt(status.revision));
  const highest = revisions.reduce((high, revision) => (revision > high ? revision : high), 0n);
  return {
    up: up.map(({ node }) => node),
    revision: up.length === 0 ? null : highest.toString(),
    clusterId: up[0]?.status.clusterId ?? null,
    leader: up.find(({ status }) => status.memberId === status.leaderId)?.node ?? null,
    // A member that has just lost the others still names its leader for a moment, so only a majority counts.
    hadLeader: up.filter(({ status }) => status.leaderId !== '0').length * 2 > members.length,
  };
}

/**
 * Makes the plan, except for the fields that have to be looked up.
 * @throws SalvorError `UnsafeState` for a snapshot from a later etcd version than the members run
 */
export function drawPlan(facts: PlanFacts): Omit<RestorePlan, 'digest' | 'expectedDowntimeMs'> {
  const { cluster, source, members, trial, nodes } = facts;
  const before = presentState(members);
  const versions = {
    snapshot: source.etcd?.version ?? null,
    members: answering(members).map(({ node, status }) => ({ node, version: status.version })),
  };
  refuseLaterVersion(versions);
  const { bumpRevision, floor } = raiseAbove(trial.revision, before.revision, nodes);
  return {
    cluster: cluster.name,
    backup: source.backup,
    takenAt: source.takenAt,
    proof: source.proof,
    trial,
    before,
    revisionGap: before.revision === null ? null : (BigInt(before.revision) - BigInt(trial.revision)).toString(),
    revisionFloor: floor,
    bumpRevision,
    changes: facts.changes,
    nodes,
    members: cluster.nodes.map(({ etcd }) => ({ name: etcd.memberName, peerUrl: etcd.peerUrl })),
    versions,
    steps: restoreSteps(cluster.nodes.map((node: ClusterNode) => plannedNode(cluster.flavour, node))),
    warnings: [...warningsOf(facts, before, versions)],
  };
}

/**
 * The parts of a plan that its digest covers. Everything that changes every second in a live cluster (revisions, free
 * space, the losses) is left out, or the plan would be out of date before anybody had read it.
 */
export function decisiveParts(cluster: Cluster, plan: Omit<RestorePlan, 'digest' | 'expectedDowntimeMs'>): object {
  return {
    cluster: plan.cluster,
    backup: plan.backup,
    sha256: plan.trial.sha256,
    members: plan.members,
    clusterId: plan.before.clusterId,
    up: plan.before.up,
    nodes: plan.nodes.map(({ name, address, etcd, apiServer, dataDir }) => ({
      name,
      address,
      etcd,
      apiServer,
      dataDir,
      path: cluster.nodes.find((node) => node.name === name)?.etcd.dataDir,
    })),
    steps: plan.steps,
  };
}

/**
 * etcd reads the data of the minor version before its own, and refuses data of a later one (etcd, "Downgrade etcd").
 */
function refuseLaterVersion({ snapshot, members }: RestorePlan['versions']): void {
  const older = members.filter(
    ({ version }) => snapshot !== null && minorVersionOf(version) < minorVersionOf(snapshot),
  );
  if (older.length === 0) return;
  throw new SalvorError(
    'UnsafeState',
    `the snapshot is from etcd ${snapshot}, and ${older.map(({ node, version }) => `${node} runs ${version}`).join(', ')}: etcd does not start with data from a later release. Upgrade etcd there, or use an older backup`,
  );
}

function* warningsOf(
  { source, members, nodes, changesProblem }: PlanFacts,
  before: RestorePlan['before'],
  versions: RestorePlan['versions'],
): Generator<string> {
  if (before.revision === null)
    yield `no member answers: the live revision is unknown${nodes.some(({ leavesRevision }) => leavesRevision) ? '' : ', so it is raised by 1,000,000,000'}`;
  if (changesProblem !== undefined) yield `what would be lost is unknown: ${changesProblem}`;
  for (const { node, error } of members.filter(({ status }) => status === undefined))
    yield `${node} does not answer: ${error ?? 'no reason given'}`;
  if (before.revision !== null && !before.hadLeader)
    yield `quorum is lost: ${before.up.length} of ${members.length} members answer${before.leader === null ? ', and none leads' : ''}`;
  if (source.state !== 'complete') yield `the backup is ${source.state}`;
  if (source.skipHashCheck)
    yield 'the snapshot may be a copy of a data directory, without a hash: a changed byte in it will not be noticed';
  if (source.etcd === undefined)
    yield 'the snapshot has no manifest: its expected content is unknown, only that it is complete and restores';
  for (const { name, etcd, dataDir, etcdutl, leavesRevision } of nodes) {
    if (leavesRevision) yield `${name}: ${cannotRaiseRevision(etcdutl)}`;
    if (dataDir === 'missing') yield `${name} has no data; it will get new data like the others`;
    else if (etcd === 'stopped') yield `etcd on ${name} is not running; the restore will start it`;
  }
  const other = versions.members.filter(
    ({ version }) => versions.snapshot !== null && minorVersionOf(version) > minorVersionOf(versions.snapshot),
  );
  if (other.length > 0)
    yield `the snapshot is from etcd ${versions.snapshot}, ${other.map(({ node, version }) => `${node} runs ${version}`).join(', ')}: etcd will upgrade the data when it starts`;
}
