/** Puts a cluster back as it was before a restore touched it, from wherever the restore stopped. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import { plannedNode } from '../../domain/restore/steps.ts';
import { changing, gate, once } from '../kit/activities.ts';
import { etcdStartsInTurn } from './change-cluster.ts';
import type { RestoreOperation } from './operation.ts';
import { startedSo, stoppedSo, withApiServer } from './start-and-stop.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';

/**
 * Stops everything that runs, puts the old data directories back, and starts on each node what ran there before.
 * @param journal has the state of each node before it was touched
 */
export async function rollBack(journal: Journal, { cluster, runbook }: RestoreOperation) {
  const { operationId, clusterId, up, hadLeader } = journal;
  const { nodes } = cluster;
  const found = new Map(journal.nodes.map((node) => [node.name, node]));
  const ran = (component: 'etcd' | 'apiServer') =>
    nodes.filter(({ name }) => found.get(name)?.[component] === 'running');

  await runbook.onEvery(
    'Roll back: stop kube-apiserver',
    withApiServer(cluster),
    async (node) => await changing(node).stopApiServer({ cluster, node: node.name }),
    stoppedSo,
  );
  await runbook.onEvery(
    'Roll back: stop etcd',
    nodes,
    async (node) => await changing(node).stopEtcd({ cluster, node: node.name }),
    stoppedSo,
  );
  const put = await runbook.onEvery(
    'Roll back: put the old data directory back',
    nodes,
    async (node) => {
      const before = found.get(node.name)?.dataDir ?? 'present';
      const order = { cluster, node: node.name, operationId, before };
      return { node: node.name, ...(await changing(node).putBackDataDirectory(order)) };
    },
    ({ abandoned }) => (abandoned === null ? 'the old one is in place' : `the restored one is in ${abandoned}`),
  );
  const inTurn = etcdStartsInTurn(cluster);
  const start = inTurn ? runbook.inTurn : runbook.onEvery;
  await start(
    'Roll back: start etcd',
    // Members that were silent before come last: they may not start, and must not hold up the others.
    inTurn ? ran('etcd').sort((a, b) => Number(up.includes(b.name)) - Number(up.includes(a.name))) : ran('etcd'),
    async (node) => {
      const order = { cluster, node: node.name };
      return up.includes(node.name) ? await changing(node).startEtcd(order) : await startAsItWas(node, order);
    },
    ({ changed, problem }: { changed: boolean; problem?: string }) =>
      problem === undefined ? startedSo({ changed }) : `it did not answer before the restore either: ${problem}`,
  );
  await runbook.step(
    'Roll back: check the members',
    null,
    // Without a quorum, members that start don't answer.
    async () =>
      clusterId === null || !hadLeader ? null : await gate.checkFormerMembers({ cluster, nodes: up, clusterId }),
    (back) =>
      back === null
        ? 'there was no quorum before the restore either, so no member can answer'
        : `${back.members} members of cluster ${back.clusterId} answer as before`,
  );
  await runbook.onEvery(
    'Roll back: start kube-apiserver',
    ran('apiServer'),
    async (node) => await changing(node).startApiServer({ cluster, node: node.name }),
    startedSo,
  );
  // Without a quorum, no kube-apiserver was ready before either.
  await runbook.onEvery(
    'Roll back: check kube-apiserver',
    clusterId === null || !hadLeader ? [] : ran('apiServer').filter((node) => up.includes(node.name)),
    async (node) => await changing(node).checkApiServer({ cluster, node: node.name }),
    ({ seen }) => seen,
  );
  const upAtMs = Date.now();
  await runbook.onEvery(
    'Roll back: start the controllers',
    ran('apiServer').filter((node) => plannedNode(cluster.flavour, node).hasControllers),
    async (node) => await changing(node).startControllers({ cluster, node: node.name }),
    startedSo,
  );
  const setAside = put.flatMap(({ node, abandoned }) => (abandoned === null ? [] : [{ node, path: abandoned }]));
  return { setAside, upAtMs };
}

/** A member that should have run but didn't answer before may not start now either: the cluster is then as it was. */
async function startAsItWas(
  node: ClusterNode,
  order: { cluster: Cluster; node: string },
): Promise<{ changed: boolean; problem?: string }> {
  try {
    return await once(node).startEtcd(order);
  } catch (error) {
    rethrowUnlessActivity(error);
    return { changed: true, problem: reasonOf(error) };
  }
}
