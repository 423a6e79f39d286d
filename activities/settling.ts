/** Whether a cluster has settled enough to be worth keeping. */
import { readSettling } from '../adapters/flavours/kubeadm.ts';
import { hostFor } from '../adapters/hosts/find.ts';
import { readOperators } from '../adapters/kubernetes/cluster-operators.ts';
import { readInstalledAt } from '../adapters/kubernetes/installed-at.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { Settling } from '../domain/backups/settled.ts';
import { attended } from './attend.ts';

export function createSettlingActivities() {
  return {
    /** When the cluster's own API says that it was installed. */
    readInstalledAt: attended(async ({ kubeconfig }: { kubeconfig: string }, { signal }) => {
      return await readInstalledAt(kubeconfig, signal);
    }),

    /** What OpenShift's operators say of the control plane. */
    readOperators: attended(async ({ kubeconfig }: { kubeconfig: string }, { signal }) => {
      return await readOperators(kubeconfig, signal);
    }),

    /** What the files of one node say. */
    readSettling: attended(
      async ({ cluster, node }: { cluster: Cluster; node: string }, { signal }): Promise<Settling> => {
        const host = hostFor(nodeOf(cluster.nodes, node));
        try {
          return await readSettling(host, signal);
        } finally {
          await host.close();
        }
      },
    ),
  };
}
export type SettlingActivities = ReturnType<typeof createSettlingActivities>;
