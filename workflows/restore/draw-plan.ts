/**
 * The part of a restore that touches nothing: it finds the backup, tries whether it restores, looks at the cluster and
 * its nodes, and draws the plan.
 */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { MemberInspection } from '../../domain/members/members.ts';
import type { PlanRestoreInput } from '../../domain/operations/plan-restore.ts';
import { type RestoreRun, runOf } from '../../domain/restore/journal.ts';
import { type ChosenBackup, type PlannedNodeState, presentState, type RestorePlan } from '../../domain/restore/plan.ts';
import { cannotRaiseRevision } from '../../domain/restore/revision.ts';
import { bytesToStage } from '../../domain/restore/room.ts';
import type { TrialResult } from '../../domain/restore/trial.ts';
import { look, preparing, stream } from '../kit/activities.ts';
import type { RestoreOperation } from './operation.ts';
import { requireSameConfiguration } from './same-configuration.ts';

/** Everything known before a plan is drawn. */
export interface Facts {
  cluster: Cluster;
  source: ChosenBackup;
  members: MemberInspection[];
  trial: TrialResult;
  nodes: PlannedNodeState[];
}

/** A plan that may be carried out, and the facts behind it. */
export interface PlannedRestore {
  facts: Facts;
  plan: RestorePlan;
  /** Whether any plan was approved in advance. */
  isAnyAccepted: boolean;
}

type Looking = Pick<RestoreOperation, 'cluster' | 'runbook'>;

/** Checks everything that a restore depends on. */
export async function gatherFacts(request: PlanRestoreInput, op: Looking): Promise<Facts> {
  const { cluster, runbook } = op;
  const source = await findBackup(request, op);
  const members = await lookAtMembers(op);
  const trial = await runbook.step(
    'Prove the backup by a trial restore',
    null,
    async () => await stream.trialRestore({ cluster, source }),
    ({ revision, totalKeys, store, hashAgrees }) =>
      `from ${store}: revision ${revision}, ${totalKeys} keys${hashAgrees === true ? ', HashKV as at the source' : ''}`,
  );
  const nodes = await checkNodes(source, trial, op);
  return { cluster, source, members, trial, nodes };
}

/**
 * Checks everything again after some time. The bytes that passed the trial are the same, but a store may no longer have
 * them, and the cluster may have changed.
 */
export async function lookAgain(
  { source: { backup }, trial, cluster }: Facts,
  { at: _at, ...request }: PlanRestoreInput,
  op: Looking,
): Promise<Facts> {
  await requireSameConfiguration(op);
  const source = await findBackup({ ...request, backup }, op);
  const members = await lookAtMembers(op);
  const nodes = await checkNodes(source, trial, op);
  return { cluster, source, members, trial, nodes };
}

/** Draws the plan from the facts. */
export async function drawPlan(facts: Facts, { runbook }: Looking): Promise<RestorePlan> {
  const { cluster, source, members, nodes, trial } = facts;
  const { store, content, revision, totalKeys, hashAgrees, changes, changesProblem } = trial;
  return await runbook.step(
    'Draw the plan',
    null,
    async () =>
      await look.drawPlan({
        cluster,
        source,
        members,
        nodes,
        changes,
        ...(changesProblem !== undefined && { changesProblem }),
        trial: { store, sha256: content.sha256, revision, totalKeys, hashAgrees },
      }),
    ({ digest, warnings }) => `${digest}${warnings.length === 0 ? '' : `; ${warnings.join('; ')}`}`,
  );
}

/**
 * Checks a node: its room, its etcd, its etcdutl and any unfinished restore.
 * @param neededBytes how much room the node must have
 * @param staged the restore that has staged its data there: it must still be there, with the journal
 */
export async function checkNode(
  cluster: Cluster,
  node: ClusterNode,
  source: ChosenBackup,
  neededBytes: number,
  staged?: RestoreRun,
): Promise<PlannedNodeState> {
  const { name, address } = node;
  const etcdVersion = source.etcd?.version;
  const order = {
    cluster,
    node: name,
    neededBytes,
    ...(etcdVersion !== undefined && { etcdVersion }),
    ...(staged !== undefined && { staged: runOf(staged) }),
  };
  return { name, address, ...(await preparing(node).checkNode(order)) };
}

async function findBackup(
  { backup = 'latest', at, store, skipHashCheck }: PlanRestoreInput,
  { cluster, runbook }: Looking,
): Promise<ChosenBackup> {
  return await runbook.step(
    'Find the backup',
    null,
    async () =>
      await look.findSnapshot({
        cluster,
        backup,
        ...(at !== undefined && { at }),
        ...(store !== undefined && { store }),
        ...(skipHashCheck !== undefined && { skipHashCheck }),
      }),
    (found) => `${found.backup} in ${found.stores.join(', ')}`,
  );
}

async function lookAtMembers({ cluster, runbook }: Looking): Promise<MemberInspection[]> {
  return await runbook.step(
    'Look at the members',
    null,
    async () => await look.inspectMembers({ cluster }),
    (members) => {
      const { up, revision } = presentState(members);
      return `${up.length} of ${cluster.nodes.length} answer; ${revision === null ? 'the live revision is unknown' : `revision ${revision}`}`;
    },
  );
}

async function checkNodes(
  source: ChosenBackup,
  trial: TrialResult,
  { cluster, runbook }: Looking,
): Promise<PlannedNodeState[]> {
  return await runbook.onEvery(
    'Check the node',
    cluster.nodes,
    async (node: ClusterNode) => await checkNode(cluster, node, source, bytesToStage(trial.content.bytes)),
    ({ etcd, apiServer, dataDir, etcdutl, leavesRevision }) =>
      `etcd ${etcd}${apiServer === null ? '' : `, kube-apiserver ${apiServer}`}, data directory ${dataDir}${leavesRevision ? `; WARNING: ${cannotRaiseRevision(etcdutl)}` : ''}`,
  );
}
