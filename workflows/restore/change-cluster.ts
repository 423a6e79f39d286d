/**
 * The downtime of a restore: from the stop of the first component until the last one is ready. Everything that takes
 * time is done before.
 */
import { isRevisionRaised, type Journal } from '../../domain/restore/journal.ts';
import { highestRefused } from '../../domain/restore/revision.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { plannedNode } from '../../domain/restore/steps.ts';
import { asClient, changing, FIRST_LOOK, gate, glance } from '../kit/activities.ts';
import type { RestoreOperation, Undertaking } from './operation.ts';
import { startedSo, startUntilItHolds, stoppedSo, withApiServer } from './start-and-stop.ts';

/**
 * Stops every kube-apiserver and etcd, swaps the data directories, and starts everything again. A gate follows each
 * half.
 */
export async function changeCluster({ journal, isSwapped }: Undertaking, op: RestoreOperation) {
  if (!isSwapped) await stopEverything(journal, op);
  const setAside = await swapEverywhere(journal, op);
  const after = await startEtcd(journal, op);
  await startApiServers(op);
  const upAtMs = Date.now();
  await lookAsClients(journal, op);
  await startControllers(op);
  return { after, setAside, upAtMs };
}

async function stopEverything(journal: Journal, { cluster, runbook }: RestoreOperation): Promise<void> {
  await runbook.onEvery(
    'Stop kube-apiserver',
    withApiServer(cluster),
    async (node) => await changing(node).stopApiServer({ cluster, node: node.name }),
    stoppedSo,
  );
  // A leader that stops first would spend 7 s looking for a successor among members that are stopping too. Without
  // followers it doesn't look.
  const leader = cluster.nodes.filter(({ name }) => name === journal.leader);
  const followers = cluster.nodes.filter(({ name }) => name !== journal.leader);
  // A step may have waited hours for a person, while etcd's own clients kept writing.
  const below = isRevisionRaised(journal) ? { below: journal.revision.floor } : {};
  for (const group of [followers, leader]) {
    await runbook.onEvery(
      'Stop etcd',
      group,
      async (node) => await changing(node).stopEtcd({ cluster, node: node.name, ...below }),
      stoppedSo,
    );
  }
}

async function swapEverywhere({ operationId }: Journal, { cluster, runbook }: RestoreOperation) {
  const swapped = await runbook.onEvery(
    'Swap the data directory',
    cluster.nodes,
    async (node) => ({
      node: node.name,
      path: (await changing(node).swapDataDirectory({ cluster, node: node.name, operationId })).setAside,
    }),
    ({ path }) => (path === null ? 'there was none before' : `the old one is in ${path}`),
  );
  return swapped.flatMap(({ node, path }) => (path === null ? [] : [{ node, path }]));
}

async function startEtcd({ revision, clusterId }: Journal, { cluster, runbook }: RestoreOperation) {
  const start = etcdStartsInTurn(cluster) ? runbook.inTurn : runbook.onEvery;
  await start(
    'Start etcd',
    cluster.nodes,
    async (node) => await changing(node).startEtcd({ cluster, node: node.name }),
    startedSo,
  );
  const expected = { cluster, revisionFloor: revision.floor, oldClusterId: clusterId };
  return await runbook.step(
    'Check the members',
    null,
    async () =>
      await startUntilItHolds({
        glance: async () => await glance().checkRestoredMembers(expected),
        startAgain: async () =>
          await Promise.all(
            cluster.nodes.map(async (node) => await changing(node).startEtcd({ cluster, node: node.name })),
          ),
        look: async () => await gate.checkRestoredMembers(expected),
      }),
    (restored) =>
      `${restored.members} members with the same keys in the new cluster ${restored.clusterId}, revision ${restored.revision}`,
  );
}

async function startApiServers({ cluster, runbook }: RestoreOperation): Promise<void> {
  await runbook.onEvery(
    'Start kube-apiserver',
    withApiServer(cluster),
    async (node) => await changing(node).startApiServer({ cluster, node: node.name }),
    startedSo,
  );
  await runbook.onEvery(
    'Check kube-apiserver',
    withApiServer(cluster),
    async (node) => {
      const order = { cluster, node: node.name };
      return await startUntilItHolds({
        glance: async () => await glance(node).checkApiServer(order),
        startAgain: async () => await changing(node).startApiServer({ ...order, again: true }),
        look: async () => await changing(node).checkApiServer(order),
      });
    },
    ({ seen }) => seen,
  );
}

/**
 * Checks what clients need: that they can write, and that a watch from before the restore is refused, which makes them
 * list again.
 */
async function lookAsClients(journal: Journal, { cluster, runbook }: RestoreOperation): Promise<void> {
  const { operationId, revision } = journal;
  await runbook.onEvery(
    'Write through kube-apiserver',
    withApiServer(cluster),
    async (node) => {
      const order = { cluster, node: node.name, operationId };
      return await startUntilItHolds({
        glance: async () => await asClient(cluster, node, FIRST_LOOK).canary(order),
        startAgain: async () => await changing(node).startApiServer({ cluster, node: node.name, again: true }),
        look: async () => await asClient(cluster, node).canary(order),
      });
    },
    ({ seen }) => seen,
  );
  const seenRevision = isRevisionRaised(journal) ? highestRefused(revision.floor) : null;
  await runbook.onEvery(
    'Prove that old watches end',
    cluster.nodes,
    async (node) => {
      const order = { cluster, node: node.name, operationId, seenRevision };
      return await startUntilItHolds({
        glance: async () => await asClient(cluster, node, FIRST_LOOK).watchProof(order),
        startAgain: async () => await changing(node).startEtcd({ cluster, node: node.name }),
        look: async () => await asClient(cluster, node).watchProof(order),
      });
    },
    ({ seen }) => seen,
  );
}

async function startControllers({ cluster, runbook }: RestoreOperation): Promise<void> {
  await runbook.onEvery(
    'Start the controllers',
    cluster.nodes.filter((node) => plannedNode(cluster.flavour, node).hasControllers),
    async (node) => await changing(node).startControllers({ cluster, node: node.name }),
    startedSo,
  );
}

/**
 * Whether members must start in turn: members that compare their keys with the others before they serve would wait for
 * each other if they started together. All others start at the same time.
 */
export function etcdStartsInTurn({ flavour }: RestoreOperation['cluster']): boolean {
  return traitsOf(flavour).etcd.comparesBeforeServing;
}
