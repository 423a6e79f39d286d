/** The work on one node. A node with a task queue of its own has its own worker. */
import type { Host } from '../adapters/hosts/host.ts';
import { controlPlaneFor } from '../adapters/flavours/index.ts';
import type { Component } from '../adapters/flavours/control-plane.ts';
import { apiServerReady } from '../adapters/kubernetes/api/api-server.ts';
import { inspectStatuses } from '../adapters/etcd/inspect.ts';
import { checkNode } from '../adapters/node-data/check-node.ts';
import { stageDataDirectory, type StagingOrder, unstageDataDirectory } from '../adapters/node-data/data-directory.ts';
import { newDataOn } from '../adapters/node-data/new-data.ts';
import { putBackDataDirectory, swapDataDirectory } from '../adapters/node-data/swap.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import type { RestoreRun } from '../domain/restore/journal.ts';
import { overtakenBy } from '../domain/restore/revision.ts';
import { attended } from './attend.ts';
import { onHost, type OnNode } from './on-host.ts';

export type { StagingOrder };

/** kube-apiserver takes up to a minute to end long requests; etcd hands over its leadership first. */
const STOP_DEADLINE_MS = 90_000;
const START_DEADLINE_MS = 60_000;
/** The kubelet restarts a static pod only after the API has released its mirror pod: up to 34 s per try. */
const CONTROLLERS_DEADLINE_MS = 100_000;

/** A member that is about to be stopped must answer within this time; nothing waits for it any longer. */
const LAST_WORD_MS = 1_000;

/** A kube-apiserver that was just started is usually ready within this time. */
const USUALLY_READY_MS = 6_000;

function apiServerOf(cluster: Cluster, node: ClusterNode, host: Host): Component {
  const { apiServer } = controlPlaneFor(cluster, node, host);
  if (apiServer) return apiServer;
  throw new SalvorError(
    'InvalidConfiguration',
    `${node.name} of ${cluster.name} has no kube-apiserver in the configuration`,
  );
}

function controllersOf(cluster: Cluster, node: ClusterNode, host: Host): Component[] {
  const { controllerManager, scheduler } = controlPlaneFor(cluster, node, host);
  return [controllerManager, scheduler].filter((component) => component !== undefined);
}

function anyChanged(results: { changed: boolean }[]): { changed: boolean } {
  return { changed: results.some(({ changed }) => changed) };
}

/** For a kube-apiserver that ran a moment ago. If its etcd has died, it doesn't answer or has ended. */
async function startAgain(cluster: Cluster, node: ClusterNode, host: Host, signal: AbortSignal) {
  const etcd = await controlPlaneFor(cluster, node, host).etcd.start(signal, START_DEADLINE_MS);
  const apiServer = await apiServerOf(cluster, node, host).start(signal, START_DEADLINE_MS);
  return anyChanged([etcd, apiServer]);
}

/** @throws SalvorError `UnsafeState` when the member has reached the revision at which the staged data begins */
async function refuseOvertaken(cluster: Cluster, node: ClusterNode, floor: string, signal: AbortSignal) {
  const [member] = await inspectStatuses(cluster, [node], signal, LAST_WORD_MS);
  const overtaken = overtakenBy(member?.status?.revision ?? null, floor);
  if (overtaken === undefined) return;
  throw new SalvorError('UnsafeState', `${node.name}: ${overtaken}. Roll back, and start the restore again`);
}

/**
 * Starts whatever has died meanwhile and leaves the rest running. The kubelet would wait up to 5 min before it did so.
 */
async function reviveApiServer(order: OnNode, signal: AbortSignal): Promise<void> {
  await onHost(order, async (node, host) => await startAgain(order.cluster, node, host, signal));
}

/** @throws SalvorError `UnsafeState` while etcd runs */
export async function refuseRunning(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  if ((await controlPlaneFor(cluster, node, host).etcd.status(signal)) === 'stopped') return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: etcd runs, so its data directory was not moved; has something else started it?`,
  );
}

export function createNodeActivities() {
  return {
    /** With `staged`, the restore's own journal and what it has staged must be there. */
    checkNode: attended(
      async (order: OnNode & { neededBytes: number; etcdVersion?: string; staged?: RestoreRun }, { signal }) => {
        const { cluster, neededBytes, etcdVersion, staged } = order;
        const needed = {
          bytes: neededBytes,
          ...(etcdVersion !== undefined && { etcdVersion }),
          ...(staged !== undefined && { staged }),
        };
        return await onHost(order, async (node, host) => await checkNode(cluster, node, host, needed, signal));
      },
    ),

    stageDataDirectory: attended(async (order: OnNode & { staging: StagingOrder }, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await stageDataDirectory(order.cluster, node, host, order.staging, signal),
      );
    }),

    unstageDataDirectory: attended(async (order: OnNode & { run: RestoreRun }, { signal }) => {
      return await onHost(order, async (node, host) => await unstageDataDirectory(node, host, order.run, signal));
    }),

    /** Also stops the controllers: without kube-apiserver they would only fail, and be restarted ever more rarely. */
    stopApiServer: attended(async (order: OnNode, { signal }) => {
      return await onHost(order, async (node, host) => {
        const apiServer = apiServerOf(order.cluster, node, host);
        const components = [apiServer, ...controllersOf(order.cluster, node, host)];
        return anyChanged(await Promise.all(components.map(async (each) => await each.stop(signal, STOP_DEADLINE_MS))));
      });
    }),

    /**
     * With `restarts`, also stops an etcd that seems stopped but is about to be restarted.
     * @param order.below refuses when the member has reached this revision: the staged data would be behind what its
     * clients have seen. A silent member is stopped
     */
    stopEtcd: attended(async (order: OnNode & { restarts?: boolean; below?: string }, { signal }) => {
      const options = { ...(order.restarts && { restarts: true }) };
      return await onHost(order, async (node, host) => {
        if (order.below !== undefined) await refuseOvertaken(order.cluster, node, order.below, signal);
        return await controlPlaneFor(order.cluster, node, host).etcd.stop(signal, STOP_DEADLINE_MS, options);
      });
    }),

    /** Refuses while etcd runs, unless the directory has already been swapped. */
    swapDataDirectory: attended(async (order: OnNode & { operationId: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        const newData = await newDataOn(node, host, order.operationId, signal);
        if (newData === 'staged') await refuseRunning(order.cluster, node, host, signal);
        return await swapDataDirectory(node, host, order.operationId, signal);
      });
    }),

    /** For a rollback. Refuses while etcd runs. */
    putBackDataDirectory: attended(
      async (order: OnNode & { operationId: string; before: 'present' | 'missing' }, { signal }) => {
        return await onHost(order, async (node, host) => {
          await refuseRunning(order.cluster, node, host, signal);
          return await putBackDataDirectory(node, host, order.operationId, order.before, signal);
        });
      },
    ),

    startEtcd: attended(async (order: OnNode, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await controlPlaneFor(order.cluster, node, host).etcd.start(signal, START_DEADLINE_MS),
      );
    }),

    /** With `again` it restarts a kube-apiserver that ran a moment ago, together with its etcd, if they have died. */
    startApiServer: attended(async (order: OnNode & { again?: boolean }, { signal }) => {
      return await onHost(order, async (node, host) =>
        order.again
          ? await startAgain(order.cluster, node, host, signal)
          : await apiServerOf(order.cluster, node, host).start(signal, START_DEADLINE_MS),
      );
    }),

    /** Starts what was stopped along with kube-apiserver. */
    startControllers: attended(async (order: OnNode, { signal }) => {
      return await onHost(order, async (node, host) => {
        const components = controllersOf(order.cluster, node, host);
        return anyChanged(
          await Promise.all(components.map(async (each) => await each.start(signal, CONTROLLERS_DEADLINE_MS))),
        );
      });
    }),

    /** Retried until the node's own kube-apiserver reports ready; one that takes too long is revived. */
    checkApiServer: attended(async (order: OnNode, { signal, triedMs }) => {
      const node = nodeOf(order.cluster.nodes, order.node);
      if (!node.apiServer) return { seen: 'no kube-apiserver' };
      const { url, ca } = node.apiServer;
      const { ready, seen } = await apiServerReady(url, { signal, ...(ca && { ca }) });
      if (ready) return { seen };
      if (triedMs > USUALLY_READY_MS) await reviveApiServer(order, signal);
      throw new SalvorError('ComponentStuck', `${node.name}: ${url}/readyz says: ${seen}`);
    }),
  };
}
