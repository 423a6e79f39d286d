/** The part of a restore that people wait for: from the first component stopped to the last one ready. Everything that takes time was done before. */
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { plannedNode } from '../domain/plan.ts';
import { changing, gate } from './activities.ts';
import type { Runbook } from './runbook.ts';

export interface Change {
  cluster: Cluster;
  operationId: string;
  /** The node of the leader, as far as it is known. */
  leader: string | null;
  oldClusterId: string | null;
  /** The restored members are at this revision or above. */
  revisionFloor: string;
}

/** Stops every kube-apiserver and etcd, swaps the data directories, and starts everything again, with a gate after each half. */
export async function changeCluster(
  { cluster, operationId, leader, oldClusterId, revisionFloor }: Change,
  runbook: Runbook,
) {
  const { nodes } = cluster;
  const withApiServer = nodes.filter((node) => node.apiServer !== undefined);
  const isLeader = (node: ClusterNode) => node.name === leader;

  await runbook.onEvery(
    'Stop kube-apiserver',
    withApiServer,
    async (node) => await changing(node).stopApiServer({ cluster, node: node.name }),
    stopped,
  );
  // A leader that stops first looks for a successor among members that are stopping too, for 7 s; without followers it doesn't.
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
  const after = await runbook.step(
    'Check the members',
    null,
    async () => await gate.checkRestoredMembers({ cluster, revisionFloor, oldClusterId }),
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
  const upAtMs = Date.now();
  await runbook.onEvery(
    'Start the controllers',
    nodes.filter((node) => plannedNode(cluster.flavour, node).hasControllers),
    async (node) => await changing(node).startControllers({ cluster, node: node.name }),
    started,
  );
  const setAside = swapped.flatMap(({ node, setAside: path }) => (path === null ? [] : [{ node, path }]));
  return { after, setAside, upAtMs };
}

export const stopped = ({ changed }: { changed: boolean }) => (changed ? 'stopped' : 'was stopped already');
export const started = ({ changed }: { changed: boolean }) => (changed ? 'started' : 'ran already');
