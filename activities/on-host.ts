/** Work on one node of a cluster. */
import { hostFor } from '../adapters/hosts/find.ts';
import type { Host } from '../adapters/hosts/host.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';

export interface OnNode {
  cluster: Cluster;
  node: string;
}

/** Connects to the node for one piece of work. */
export async function onHost<T>(
  { cluster, node }: OnNode,
  work: (node: ClusterNode, host: Host) => Promise<T>,
): Promise<T> {
  const found = nodeOf(cluster.nodes, node);
  const host = hostFor(found);
  try {
    return await work(found, host);
  } finally {
    await host.close();
  }
}
