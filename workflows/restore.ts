/** Restores one cluster from a backup: everything that takes time is staged before the first component stops. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { StagingOrder } from '../activities/nodes.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { checkConfirmation, checkInput, isBackup, isName } from '../domain/input.ts';
import { answering } from '../domain/members.ts';
import { backupIdOf } from '../domain/names.ts';
import { BACKUP_OVERRIDES, type RestoreInput, type RestoreReport } from '../domain/operations.ts';
import { bumpFor, restoreSteps } from '../domain/plan.ts';
import { changing, gate, look, preparing, stream } from './activities.ts';
import { checked, failureTypeOf, reasonOf } from './failure.ts';
import { holdingCluster } from './hold-cluster.ts';
import { openRunbook, type Runbook } from './runbook.ts';
import { takeBackup } from './take-backup.ts';
import { megabytes } from './words.ts';

export async function restore(input: RestoreInput): Promise<RestoreReport> {
  const request = checked(() => {
    const shape = { required: { cluster: isName, confirm: isName }, optional: { backup: isBackup, store: isName } };
    const valid = checkInput<RestoreInput>(input, shape);
    checkConfirmation(valid.cluster, valid.confirm);
    return valid;
  });
  const runbook = openRunbook('restore', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingCluster(cluster.name, 'restore', async () => await restoreCluster(cluster, request, runbook));
}

async function restoreCluster(cluster: Cluster, request: RestoreInput, runbook: Runbook): Promise<RestoreReport> {
  const { nodes } = cluster;
  const withApiServer = nodes.filter((node) => node.apiServer !== undefined);
  const operationId = backupIdOf(new Date());
  runbook.announce(restoreSteps(nodes.map(({ name, apiServer }) => ({ name, hasApiServer: apiServer !== undefined }))));

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
      `${up} of ${nodes.length} answer; ${revision === null ? 'the live revision is unknown' : `revision ${revision}`}`,
  );

  const trial = await runbook.step(
    'Prove the backup by a trial restore',
    null,
    async () => await stream.trialRestore({ cluster, source }),
    ({ revision, totalKeys, store, hashAgrees }) =>
      `from ${store}: revision ${revision}, ${totalKeys} keys${hashAgrees === true ? ', HashKV as at the source' : ''}`,
  );

  await runbook.onEvery(
    'Check the node',
    nodes,
    async (node) => await preparing(node).checkNode({ cluster, node: node.name, snapshotBytes: trial.content.bytes }),
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
  await runbook.onEvery(
    'Stop kube-apiserver',
    withApiServer,
    async (node) => await changing(node).stopApiServer({ cluster, node: node.name }),
    stopped,
  );
  // A leader that stops first looks for a successor among members that are stopping too, for 7 s; without followers it doesn't.
  const isLeader = (node: ClusterNode) => node.name === before.leader;
  for (const group of [nodes.filter((node) => !isLeader(node)), nodes.filter(isLeader)]) {
    const stopEtcd = async (node: ClusterNode) => await changing(node).stopEtcd({ cluster, node: node.name });
    await runbook.onEvery('Stop etcd', group, stopEtcd, stopped);
  }
  const swapped = await runbook.onEvery(
    'Swap the data directory',
    nodes,
    async (node) => ({
      node: node.name,
      ...(await changing(node).swapDataDirectory({ cluster, node: node.name, operationId })),
    }),
    ({ setAside }) => (setAside === null ? 'there was none before' : `the old one lies in ${setAside}`),
  );
  await runbook.onEvery(
    'Start etcd',
    nodes,
    async (node) => await changing(node).startEtcd({ cluster, node: node.name }),
    started,
  );

  const revisionFloor = (BigInt(trial.revision) + BigInt(staging.bumpRevision)).toString();
  const after = await runbook.step(
    'Check the members',
    null,
    async () => await gate.checkRestoredMembers({ cluster, revisionFloor, oldClusterId: before.clusterId }),
    ({ members, clusterId, revision }) =>
      `${members} members with the same keys in the new cluster ${clusterId}, revision ${revision}`,
  );

  await runbook.onEvery(
    'Start kube-apiserver',
    withApiServer,
    async (node) => await changing(node).startApiServer({ cluster, node: node.name }),
    started,
  );
  await runbook.onEvery(
    'Check kube-apiserver',
    withApiServer,
    async (node) => await changing(node).checkApiServer({ cluster, node: node.name }),
    ({ seen }) => seen,
  );

  return {
    cluster: cluster.name,
    backup: source.backup,
    outcome: 'restored',
    downtimeMs: Date.now() - downSinceMs,
    revision: { before: before.revision, snapshot: trial.revision, after: after.revision },
    clusterId: { before: before.clusterId, after: after.clusterId },
    steps: runbook.steps,
    setAside: swapped.flatMap(({ node, setAside }) => (setAside === null ? [] : [{ node, path: setAside }])),
    workflowId: workflowInfo().workflowId,
  };
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
    up: up.length,
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

const stopped = ({ changed }: { changed: boolean }) => (changed ? 'stopped' : 'was stopped already');
const started = ({ changed }: { changed: boolean }) => (changed ? 'started' : 'ran already');
