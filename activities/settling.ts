/** Whether a cluster has settled enough to be worth keeping. */
import { flavourNode } from '../adapters/flavours/index.ts';
import { readOperators } from '../adapters/kubernetes/cluster-operators.ts';
import { readInstalledAt } from '../adapters/kubernetes/installed-at.ts';
import type { Settling } from '../domain/backups/settled.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { attended } from './attend.ts';
import { onHost, type OnNode } from './on-host.ts';

const NO_KUBECONFIG = { problem: 'no kubeconfig is set' };

export function createSettlingActivities() {
  return {
    /** When the cluster's own API says that it was installed. */
    readInstalledAt: attended(async ({ cluster: { kubeconfig } }: { cluster: Cluster }, { signal }) => {
      return kubeconfig === undefined ? NO_KUBECONFIG : await readInstalledAt(kubeconfig, signal);
    }),

    /** What OpenShift's operators say of the control plane. */
    readOperators: attended(async ({ cluster: { kubeconfig } }: { cluster: Cluster }, { signal }) => {
      return kubeconfig === undefined ? NO_KUBECONFIG : await readOperators(kubeconfig, signal);
    }),

    /** What the files of one node say. */
    readSettling: attended(async (order: OnNode, { signal }): Promise<Settling> => {
      return await onHost(
        order,
        async (node, host) => await flavourNode(order.cluster, node, host).readSettling(signal),
      );
    }),
  };
}
