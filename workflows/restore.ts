/** Restores one cluster from a backup: everything that takes time is staged before the first component stops. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { StagingOrder } from '../activities/nodes.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { checkConfirmation, checkInput, isBackup, isName, oneOf } from '../domain/input.ts';
import { answering } from '../domain/members.ts';
import { backupIdOf } from '../domain/names.ts';
import { BACKUP_OVERRIDES, ON_FAILURE, type RestoreInput, type RestoreReport } from '../domain/operations.ts';
import { bumpFor, plannedNode, restoreSteps } from '../domain/plan.ts';
import { look, preparing, stream } from './activities.ts';
import { type Change, changeCluster } from './change-cluster.ts';
import { checked, failureTypeOf, reasonOf } from './failure.ts';
import { holdingCluster } from './hold-cluster.ts';
import { Abandoned, listenToPerson, type Person } from './person.ts';
import { rollBack, type Rollback } from './roll-back.ts';
import { openRunbook, type Runbook } from './runbook.ts';
import { takeBackup } from './take-backup.ts';
import { megabytes } from './words.ts';

export async function restore(input: RestoreInput): Promise<RestoreReport> {
  const request = checked(() => {
    const shape = {
      required: { cluster: isName, confirm: isName },
      optional: { backup: isBackup, store: isName, onFailure: oneOf(...ON_FAILURE) },
    };
    const valid = checkInput<RestoreInput>(input, shape);
    checkConfirmation(valid.cluster, valid.confirm);
    return valid;
  });
  const runbook = openRunbook('restore', request.cluster);
  const person = listenToPerson(request.onFailure ?? 'pause', () => runbook.show());
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(
    cluster.name,
    'restore',
    async () => await restoreCluster(cluster, request, runbook, person),
  );
}

async function restoreCluster(
  cluster: Cluster,
  request: RestoreInput,
  runbook: Runbook,
  person: Person,
): Promise<RestoreReport> {
  const { nodes } = cluster;
  const operationId = backupIdOf(new Date());
  runbook.announce(restoreSteps(nodes.map((node) => plannedNode(cluster.flavour, node))));

  const source = await runbook.step(
    'Find the backup',
    null,
    async () =>
      await look.findSnapshot({
        cluster,
        backup: request.backup ?? 'latest',
        ...(request.store !== undefined && { store: request.store }),
      }),
    (found) => `${found.backup} in ${found.stores.join(', ')}`,
  );

  const before = await runbook.step(
    'Look at the members',
    null,
    async () => presentState(await look.inspectMembers({ cluster })),
    ({ up, revision }) =>
      `${up.length} of ${nodes.length} answer; ${revision === null ? 'the live revision is unknown' : `revision ${revision}`}`,
  );

  const trial = await runbook.step(
    'Prove the backup by a trial restore',
    null,
    async () => await stream.trialRestore({ cluster, source }),
    ({ revision, totalKeys, store, hashAgrees }) =>
      `from ${store}: revision ${revision}, ${totalKeys} keys${hashAgrees === true ? ', HashKV as at the source' : ''}`,
  );

  const found = await runbook.onEvery(
    'Check the node',
    nodes,
    async (node) => ({
      node,
      ...(await preparing(node).checkNode({ cluster, node: node.name, snapshotBytes: trial.content.bytes })),
    }),
    ({ etcd, apiServer, dataDir }) =>
      `etcd ${etcd}${apiServer === null ? '' : `, kube-apiserver ${apiServer}`}, data directory ${dataDir}`,
  );

  await runbook.step(
    'Save the present state',
    null,
    async () => await saveSafetyCopy(cluster, runbook),
    (saved) => saved,
  );

  const staging = {
    operationId,
    source: { ...source, stores: [trial.store, ...source.stores.filter((store) => store !== trial.store)] },
    content: trial.content,
    bumpRevision: bumpFor(trial.revision, before.revision),
    clusterToken: `salvor-${cluster.name}-${operationId}`,
  };
  await stageEverywhere(cluster, staging, runbook);

  const downSinceMs = Date.now();
  // From here on the cluster is touched: neither a failure nor a cancellation leaves it in between.
  const { after, upAtMs, ...end } = await CancellationScope.nonCancellable(async () => {
    const { leader, clusterId, up } = before;
    const revisionFloor = (BigInt(trial.revision) + BigInt(staging.bumpRevision)).toString();
    const change = { cluster, operationId, leader, oldClusterId: clusterId, revisionFloor };
    return await changeOrPutBack(change, { cluster, operationId, found, clusterId, up }, runbook, person);
  });
  return {
    cluster: cluster.name,
    backup: source.backup,
    ...end,
    downtimeMs: upAtMs - downSinceMs,
    revision: { before: before.revision, snapshot: trial.revision, after: after?.revision ?? null },
    clusterId: { before: before.clusterId, after: after?.clusterId ?? null },
    steps: runbook.steps,
    workflowId: workflowInfo().workflowId,
  };
}

type End = Pick<RestoreReport, 'outcome' | 'problem' | 'setAside'> & {
  after: { revision: string; clusterId: string } | null;
  /** When every kube-apiserver answered again, or this was given up. */
  upAtMs: number;
};

/** Changes the cluster. What can't succeed is done again, put back, or left as it is: a person decides. */
async function changeOrPutBack(change: Change, rollback: Rollback, runbook: Runbook, person: Person): Promise<End> {
  const insisting = runbook.insisting(person);
  try {
    return { outcome: 'restored', problem: null, ...(await changeCluster(change, insisting)) };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    if (error.decision === 'abort') {
      return { outcome: 'aborted', problem: error.message, setAside: [], after: null, upAtMs: Date.now() };
    }
    person.beginRollback();
    return await putBack(rollback, error.message, insisting);
  }
}

async function putBack(rollback: Rollback, problem: string, insisting: Runbook): Promise<End> {
  try {
    return { outcome: 'rolled-back', problem, after: null, ...(await rollBack(rollback, insisting)) };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    const both = `${problem}; then, rolling back: ${error.message}`;
    return { outcome: 'aborted', problem: both, setAside: [], after: null, upAtMs: Date.now() };
  }
}

/** When one node can't be staged, the others are cleaned up again: nothing was touched, and nothing is left. */
async function stageEverywhere(cluster: Cluster, staging: StagingOrder, runbook: Runbook): Promise<void> {
  const { nodes } = cluster;
  const { operationId, content } = staging;
  try {
    await runbook.onEvery(
      'Stage the new data directory',
      nodes,
      async (node) => await preparing(node).stageDataDirectory({ cluster, node: node.name, staging }),
      ({ staged }) => `${staged}, ${megabytes(content.bytes)}`,
    );
  } catch (error) {
    await CancellationScope.nonCancellable(async () => {
      const clean = async (node: ClusterNode) =>
        await preparing(node).unstageDataDirectory({ cluster, node: node.name, operationId });
      await runbook.onEvery('Remove what was staged', nodes, clean, () => 'removed');
    });
    throw error;
  }
}

/** The highest revision that a client can have seen, as far as a member still answers. */
function presentState(members: Awaited<ReturnType<typeof look.inspectMembers>>) {
  const up = answering(members);
  const revisions = up.map(({ status }) => BigInt(status.revision));
  const highest = revisions.reduce((high, revision) => (revision > high ? revision : high), 0n);
  return {
    up: up.map(({ node }) => node),
    revision: up.length === 0 ? null : highest.toString(),
    clusterId: up[0]?.status.clusterId ?? null,
    leader: up.find(({ status }) => status.memberId === status.leaderId)?.node ?? null,
  };
}

/** What is there now may still be wanted. A cluster too broken to be backed up keeps its old data directories in any case. */
async function saveSafetyCopy(cluster: Cluster, runbook: Runbook): Promise<string> {
  try {
    // The last moment to save it: whatever state it is in.
    const { backup, state } = await takeBackup(cluster, runbook, BACKUP_OVERRIDES);
    return `backup ${backup}, ${state}`;
  } catch (error) {
    if (failureTypeOf(error) === undefined) throw error;
    return `not possible: ${reasonOf(error)}. The old data directories are kept`;
  }
}
