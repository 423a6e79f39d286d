/** The work on the node of a member that is being replaced. */
import { flavourNode } from '../adapters/flavours/index.ts';
import { checkMemberNode } from '../adapters/node-data/check-member-node.ts';
import { configureMember } from '../adapters/flavours/member-configuration.ts';
import { putBackMemberData, setMemberDataAside } from '../adapters/node-data/member-data.ts';
import { observeEtcd } from '../adapters/flavours/observe-etcd.ts';
import { attended } from './attend.ts';
import { refuseRunning } from './nodes.ts';
import { onHost, type OnNode } from './on-host.ts';

export function createMemberNodeActivities() {
  return {
    /** Looks on the node at an etcd that doesn't answer. */
    observeEtcd: attended(async (order: OnNode, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await observeEtcd(flavourNode(order.cluster, node, host), node, host, signal),
      );
    }),

    checkMemberNode: attended(async (order: OnNode & { dbSizeBytes: number }, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await checkMemberNode(order.cluster, node, host, order.dbSizeBytes, signal),
      );
    }),

    /** Refuses while etcd runs. */
    setMemberDataAside: attended(async (order: OnNode & { operationId: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await setMemberDataAside(node, host, order.operationId, signal);
      });
    }),

    /** For a rollback. Refuses while etcd runs. */
    putBackMemberData: attended(async (order: OnNode & { operationId: string; hadData: boolean }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await putBackMemberData(node, host, order, signal);
      });
    }),

    /** Writes the configuration of etcd. Refuses while etcd runs. */
    configureMember: attended(async (order: OnNode & { operationId: string; initialCluster: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await configureMember(flavourNode(order.cluster, node, host), host, order, signal);
      });
    }),

    /** Returns the flags of the node's kube-apiserver; null when the node has no kube-apiserver. */
    readApiServerFlags: attended(async (order: OnNode, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await flavourNode(order.cluster, node, host).readApiServerFlags(signal),
      );
    }),
  };
}
