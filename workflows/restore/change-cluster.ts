/** The part of a restore that people wait for: from the first component stopped to the last one ready. Everything that takes time was done before. */
import { patched } from '@temporalio/workflow';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { FAILURES } from '../../domain/errors.ts';
import { isRevisionRaised, type Journal } from '../../domain/restore/journal.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { plannedNode } from '../../domain/restore/steps.ts';
import { asClient, changing, FIRST_LOOK, gate, glance } from '../kit/activities.ts';
import { failureTypeOf, isTimeout } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

export interface Change {
  cluster: Cluster;
  journal: Journal;
  /** False for a restore that began before it had these gates. */
  isPlanned: boolean;
  /** Every node has its new data directory already: nothing is stopped. */
  isSwapped?: boolean;
}

/** Stops every kube-apiserver and etcd, swaps the data directories, and starts everything again, with a gate after each half. */
export async function changeCluster({ cluster, journal, isPlanned, isSwapped = false }: Change, runbook: Runbook) {
  if (!isSwapped) await stopEverything(cluster, journal.leader, runbook);
  const { after, setAside } = await swapAndStartEtcd({ cluster, journal, isPlanned }, runbook);
  await startApiServers(cluster, isPlanned, runbook);
  const upAtMs = Date.now();
  if (isPlanned) await lookAsClients(cluster, journal, runbook);
  await runbook.onEvery(
    'Start the controllers',
    cluster.nodes.filter((node) => plannedNode(cluster.flavour, node).hasControllers),
    async (node) => await changing(node).startControllers({ cluster, node: node.name }),
    started,
  );
  return { after, setAside, upAtMs };
}

async function stopEverything(cluster: Cluster, leader: string | null, runbook: Runbook): Promise<void> {
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
}

/**
 * What was started and has died since is started again before its gate is given up.
 * @param mayStart asked only after a failure: false for a restore that had this failure when nothing was started again
 */
async function unlessItDied<T>(
  glimpse: () => Promise<T>,
  startAgain: () => Promise<unknown>,
  look: () => Promise<T>,
  mayStart: () => boolean = () => true,
): Promise<T> {
  try {
    return await glimpse();
  } catch (error) {
    const type = failureTypeOf(error);
    if (!isTimeout(error) && (type === undefined || !FAILURES[type].retryable)) throw error;
    if (!mayStart()) throw error;
    await startAgain();
    return await look();
  }
}

async function swapAndStartEtcd({ cluster, journal, isPlanned }: Change, runbook: Runbook) {
  const { operationId, revision, clusterId } = journal;
  const { nodes } = cluster;
  const swapped = await runbook.onEvery(
    'Swap the data directory',
    nodes,
    async (node) => ({
      node: node.name,
      ...(await changing(node).swapDataDirectory({ cluster, node: node.name, operationId })),
    }),
    ({ setAside }) => (setAside === null ? 'there was none before' : `the old one lies in ${setAside}`),
  );
  const start = etcdStartsInTurn(cluster) ? runbook.inTurn : runbook.onEvery;
  await start(
    'Start etcd',
    nodes,
    async (node) => await changing(node).startEtcd({ cluster, node: node.name }),
    started,
  );
  const after = await runbook.step(
    'Check the members',
    null,
    async () => {
      const expected = { cluster, revisionFloor: revision.floor, oldClusterId: clusterId };
      if (!isPlanned) return await gate.checkRestoredMembers(expected);
      return await unlessItDied(
        async () => await glance().checkRestoredMembers(expected),
        async () =>
          await Promise.all(nodes.map(async (node) => await changing(node).startEtcd({ cluster, node: node.name }))),
        async () => await gate.checkRestoredMembers(expected),
      );
    },
    (restored) =>
      `${restored.members} members with the same keys in the new cluster ${restored.clusterId}, revision ${restored.revision}`,
  );
  const setAside = swapped.flatMap(({ node, setAside: path }) => (path === null ? [] : [{ node, path }]));
  return { after, setAside };
}

/** Members that compare their keys with the others' before they serve would wait for each other; the others start at once. */
export function etcdStartsInTurn({ flavour }: Cluster): boolean {
  return traitsOf(flavour).etcd.comparesBeforeServing && patched('start-etcd-in-turn');
}

async function startApiServers(cluster: Cluster, isPlanned: boolean, runbook: Runbook): Promise<void> {
  const withApiServer = cluster.nodes.filter((node) => node.apiServer !== undefined);
  await runbook.onEvery(
    'Start kube-apiserver',
    withApiServer,
    async (node) => await changing(node).startApiServer({ cluster, node: node.name }),
    started,
  );
  await runbook.onEvery(
    'Check kube-apiserver',
    withApiServer,
    async (node) => {
      const order = { cluster, node: node.name };
      if (!isPlanned) return await changing(node).checkApiServer(order);
      return await unlessItDied(
        async () => await glance(node).checkApiServer(order),
        async () => await changing(node).startApiServer({ ...order, again: true }),
        async () => await changing(node).checkApiServer(order),
      );
    },
    ({ seen }) => seen,
  );
}

/** What clients need: that they can write, and that a watch from before the restore is refused, so that they list anew. */
async function lookAsClients(cluster: Cluster, journal: Journal, runbook: Runbook): Promise<void> {
  const { operationId, revision } = journal;
  const isRaised = isRevisionRaised(journal);
  const mayStart = () => patched('start-again-for-clients');
  await runbook.onEvery(
    'Write through kube-apiserver',
    cluster.nodes.filter((node) => node.apiServer !== undefined),
    async (node) => {
      const order = { cluster, node: node.name, operationId };
      return await unlessItDied(
        async () => await asClient(cluster, node, FIRST_LOOK).canary(order),
        async () => await changing(node).startApiServer({ cluster, node: node.name, again: true }),
        async () => await asClient(cluster, node).canary(order),
        mayStart,
      );
    },
    ({ seen }) => seen,
  );
  await runbook.onEvery(
    'Prove that old watches end',
    cluster.nodes,
    async (node) => {
      const order = { cluster, node: node.name, operationId, oldRevision: revision.before, isRaised };
      return await unlessItDied(
        async () => await asClient(cluster, node, FIRST_LOOK).watchProof(order),
        async () => await changing(node).startEtcd({ cluster, node: node.name }),
        async () => await asClient(cluster, node).watchProof(order),
        mayStart,
      );
    },
    ({ seen }) => seen,
  );
}

export const stopped = ({ changed }: { changed: boolean }) => (changed ? 'stopped' : 'was stopped already');
export const started = ({ changed }: { changed: boolean }) => (changed ? 'started' : 'ran already');
