/** What is done on the node of a member that is replaced. */
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
    /** What the node shows of an etcd that doesn't answer. */
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

    /** Only a stopped etcd's data is moved. */
    setMemberDataAside: attended(async (order: OnNode & { operationId: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await setMemberDataAside(node, host, order.operationId, signal);
      });
    }),

    /** For a rollback; only a stopped etcd's data is touched. */
    putBackMemberData: attended(async (order: OnNode & { operationId: string; hadData: boolean }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await putBackMemberData(node, host, order, signal);
      });
    }),

    /** Only a stopped etcd's configuration is written. */
    configureMember: attended(async (order: OnNode & { operationId: string; initialCluster: string }, { signal }) => {
      return await onHost(order, async (node, host) => {
        await refuseRunning(order.cluster, node, host, signal);
        return await configureMember(flavourNode(order.cluster, node, host), host, order, signal);
      });
    }),

    /** Flags of the node's kube-apiserver; null when it has none. */
    readApiServerFlags: attended(async (order: OnNode, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await flavourNode(order.cluster, node, host).readApiServerFlags(signal),
      );
    }),
  };
}
