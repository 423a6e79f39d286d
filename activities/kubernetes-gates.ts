/** The gates after a restore that check a node as its clients see it: through its own kube-apiserver. */
import { endpointOf } from '../adapters/etcd/inspect.ts';
import { watchIsCompacted } from '../adapters/etcd/watch.ts';
import type { Access } from '../adapters/kubernetes/api/access.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import { traitsOf } from '../domain/flavours/index.ts';
import { type GateResult, notChecked } from '../domain/restore/gates.ts';
import { attended } from './attend.ts';

export interface GateOrder {
  cluster: Cluster;
  node: string;
  operationId: string;
}

interface WatchOrder extends GateOrder {
  /**
   * The highest revision that a client may have seen. Null when the restore could not raise the revision above it: old
   * watches don't end then.
   */
  seenRevision: string | null;
}

/** All nodes are checked at the same time, so each needs objects of its own. */
function nameFor(what: string, { operationId, node }: GateOrder): string {
  return `salvor-${what}-${operationId}-${node}`;
}

async function withAccess(
  { cluster, node }: GateOrder,
  signal: AbortSignal,
  look: (access: Access) => Promise<GateResult>,
): Promise<GateResult> {
  // The client library is loaded only when it is needed: it takes 90 MiB, and would delay every worker's start by half
  // a second.
  const { accessNode } = await import('../adapters/kubernetes/api/access.ts');
  const access = await accessNode(cluster, nodeOf(cluster.nodes, node), signal);
  return 'why' in access ? notChecked(access.why) : await look(access);
}

async function expectCompacted(
  cluster: Cluster,
  node: ClusterNode,
  seenRevision: string,
  signal: AbortSignal,
): Promise<GateResult> {
  const next = (BigInt(seenRevision) + 1n).toString();
  const compacted = await watchIsCompacted(endpointOf(cluster, node), next, signal);
  if (compacted !== null) {
    return { checked: true, seen: `a watch from revision ${next} is refused: compacted up to ${compacted}` };
  }
  throw new SalvorError(
    'ComponentStuck',
    `etcd on node ${node.name} takes a watch from revision ${next}, which is from before the restore; expected it to be compacted: clients will miss changes`,
  );
}

export function createKubernetesGateActivities() {
  return {
    /** Has the node's kube-apiserver write, read and delete a ConfigMap. Retried until that works. */
    canary: attended(async (order: GateOrder, { signal }): Promise<GateResult> => {
      return await withAccess(order, signal, async (access) => {
        const { singCanary } = await import('../adapters/kubernetes/canary.ts');
        const { resourceVersion } = await singCanary(access, nameFor('canary', order));
        return { checked: true, seen: `wrote, read and deleted a config map at resource version ${resourceVersion}` };
      });
    }),

    /**
     * Checks that a watch from the last revision that clients saw before the restore is refused, which makes them list
     * again, and that a new list and watch work. Retried until both hold.
     */
    watchProof: attended(async (order: WatchOrder, { signal }): Promise<GateResult> => {
      const { cluster, seenRevision } = order;
      if (seenRevision === null)
        return notChecked('the revision was not raised: watches from before the restore do not end');
      if (traitsOf(cluster.flavour).kubernetes === null) {
        return await expectCompacted(cluster, nodeOf(cluster.nodes, order.node), seenRevision, signal);
      }
      return await withAccess(order, signal, async (access) => {
        const { expectExpired, expectFresh } = await import('../adapters/kubernetes/watch-proof.ts');
        const refusal = await expectExpired(access, seenRevision, signal);
        const fresh = await expectFresh(access, nameFor('watch', order), signal);
        return {
          checked: true,
          seen: `a watch from ${seenRevision} is refused (${refusal}); ${fresh}`,
        };
      });
    }),
  };
}
