/** Members that have started and wait for each other. */
import { isIP } from 'node:net';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { nodeOf } from '../../domain/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { hostFor } from '../hosts/find.ts';

const SS_MS = 5_000;

/**
 * Ends the requests that silent members have sent each other. Where members compare their keys before they serve, each
 * asks every other member for the hash of its keys, and waits 7 s for one that has started but does not answer yet
 * either (etcd, server/etcdserver/corrupt.go). etcd skips a request that breaks off. Connections to and from members
 * that answer are left alone. Where the requests can't be ended (no `ss`, a kernel without INET_DIAG_DESTROY, a node
 * that only its own worker reaches), the members wait.
 * @param silent the names of the nodes whose members don't answer
 */
export async function endMutualWaits(cluster: Cluster, silent: readonly string[], signal: AbortSignal): Promise<void> {
  if (!traitsOf(cluster.flavour).etcd.comparesBeforeServing) return;
  const nodes = silent.map((name) => nodeOf(cluster.nodes, name));
  await Promise.all(
    nodes.map(async (node) => {
      const peers = nodes.filter((peer) => peer !== node).flatMap(peerAddress);
      if (node.taskQueue === undefined) await endConnections(node, peers, signal);
    }),
  );
}

function peerAddress({ etcd }: ClusterNode): string[] {
  const { hostname, port } = new URL(etcd.peerUrl);
  // A name may stand for several machines.
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 || port === '' ? [] : [`${hostname}:${port}`];
}

async function endConnections(node: ClusterNode, to: string[], signal: AbortSignal): Promise<void> {
  if (to.length === 0) return;
  const where = to.flatMap((address, index) => [...(index === 0 ? [] : ['or']), 'dst', address]);
  const host = hostFor(node);
  try {
    await host.run(['ss', '--kill', '--tcp', '--numeric', 'state', 'established', '(', ...where, ')'], {
      signal,
      timeoutMs: SS_MS,
    });
  } catch {
    signal.throwIfAborted();
  } finally {
    await host.close();
  }
}
