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
    /** Reads from the cluster's own API when the cluster was installed. */
    readInstalledAt: attended(async ({ cluster: { kubeconfig } }: { cluster: Cluster }, { signal }) => {
      return kubeconfig === undefined ? NO_KUBECONFIG : await readInstalledAt(kubeconfig, signal);
    }),

    /** Reads what OpenShift's operators report about the control plane. */
    readOperators: attended(async ({ cluster: { kubeconfig } }: { cluster: Cluster }, { signal }) => {
      return kubeconfig === undefined ? NO_KUBECONFIG : await readOperators(kubeconfig, signal);
    }),

    /** Reads what the files of one node show. */
    readSettling: attended(async (order: OnNode, { signal }): Promise<Settling> => {
      return await onHost(
        order,
        async (node, host) => await flavourNode(order.cluster, node, host).readSettling(signal),
      );
    }),
  };
}
