/** What is done on one node. A node with a task queue of its own has its own worker there. */
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

/** kube-apiserver ends long requests for up to a minute; etcd hands over its leadership first. */
const STOP_DEADLINE_MS = 90_000;
const START_DEADLINE_MS = 60_000;
/** The kubelet starts a static pod anew only when the API has let go of its mirror: up to 34 s a try. */
const CONTROLLERS_DEADLINE_MS = 100_000;

/** A member that is about to be stopped answers at once, or is not waited for. */
const LAST_WORD_MS = 1_000;

/** A kube-apiserver that was just started is ready within it. */
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

/** For a kube-apiserver that ran a moment ago. Where its etcd has died, it answers nothing, or has ended. */
async function startAgain(cluster: Cluster, node: ClusterNode, host: Host, signal: AbortSignal) {
  const etcd = await controlPlaneFor(cluster, node, host).etcd.start(signal, START_DEADLINE_MS);
  const apiServer = await apiServerOf(cluster, node, host).start(signal, START_DEADLINE_MS);
  return anyChanged([etcd, apiServer]);
}

/** @throws SalvorError `UnsafeState` when the member has come to where the staged data begins */
async function refuseOvertaken(cluster: Cluster, node: ClusterNode, floor: string, signal: AbortSignal) {
  const [member] = await inspectStatuses(cluster, [node], signal, LAST_WORD_MS);
  const overtaken = overtakenBy(member?.status?.revision ?? null, floor);
  if (overtaken === undefined) return;
  throw new SalvorError('UnsafeState', `${node.name}: ${overtaken}. Roll back, and start the restore again`);
}

/**
 * Starts what has died meanwhile, and leaves alone what runs: a kubelet would wait for up to 5 min before it does so.
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

    /** The controllers go with it: without it they would only fail, and be started ever more rarely. */
    stopApiServer: attended(async (order: OnNode, { signal }) => {
      return await onHost(order, async (node, host) => {
        const apiServer = apiServerOf(order.cluster, node, host);
        const components = [apiServer, ...controllersOf(order.cluster, node, host)];
        return anyChanged(await Promise.all(components.map(async (each) => await each.stop(signal, STOP_DEADLINE_MS))));
      });
    }),

    /**
     * With `restarts` also one that seems to be stopped, and is about to be started anew.
     * @param order.below not when the member has reached this revision: what was staged would be behind what its
     * clients have seen. A silent member is stopped
     */
    stopEtcd: attended(async (order: OnNode & { restarts?: boolean; below?: string }, { signal }) => {
      const options = { ...(order.restarts && { restarts: true }) };
      return await onHost(order, async (node, host) => {
        if (order.below !== undefined) await refuseOvertaken(order.cluster, node, order.below, signal);
        return await controlPlaneFor(order.cluster, node, host).etcd.stop(signal, STOP_DEADLINE_MS, options);
      });
    }),

    /** Only a stopped etcd's directory is swapped; where it was swapped already, etcd may run. */
    swapDataDirectory: attended(async (order: OnNode & { operationId: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        const newData = await newDataOn(node, host, order.operationId, signal);
        if (newData === 'staged') await refuseRunning(order.cluster, node, host, signal);
        return await swapDataDirectory(node, host, order.operationId, signal);
      });
    }),

    /** For a rollback; only a stopped etcd's directory is touched. */
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

    /** With `again` one that ran a moment ago, and its etcd with it. */
    startApiServer: attended(async (order: OnNode & { again?: boolean }, { signal }) => {
      return await onHost(order, async (node, host) =>
        order.again
          ? await startAgain(order.cluster, node, host, signal)
          : await apiServerOf(order.cluster, node, host).start(signal, START_DEADLINE_MS),
      );
    }),

    /** What was stopped with kube-apiserver. */
    startControllers: attended(async (order: OnNode, { signal }) => {
      return await onHost(order, async (node, host) => {
        const components = controllersOf(order.cluster, node, host);
        return anyChanged(
          await Promise.all(components.map(async (each) => await each.start(signal, CONTROLLERS_DEADLINE_MS))),
        );
      });
    }),

    /** Retried until the node's own kube-apiserver says that it is ready; one that isn't for a while is revived. */
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
