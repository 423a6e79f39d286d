/** Looks after a cluster once its kube-apiservers are ready again after a restore. */
import type { AftercareOrder } from '../adapters/kubernetes/aftercare.ts';
import type { AftercareReport } from '../domain/restore/aftercare.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { traitsOf } from '../domain/flavours/index.ts';
import { attended } from './attend.ts';

/** Leaders are elected within 20 s of their start, and kubelets that were turned away come back within 40 s. */
const WAIT_MS = 90_000;

export function createAftercareActivities() {
  return {
    /**
     * Waits for kubelets and controllers, removes anything that blocks them, and lists what is left for a person to do.
     * It takes two minutes at most, and nothing that it finds makes it fail.
     * @param order.sinceRevision the restored etcd's revision before its first client wrote to it
     */
    lookAfter: attended(
      async (
        {
          cluster,
          sinceRevision,
          waitMs = WAIT_MS,
        }: { cluster: Cluster } & Pick<AftercareOrder, 'sinceRevision'> & Partial<AftercareOrder>,
        { signal },
      ): Promise<AftercareReport> => {
        if (traitsOf(cluster.flavour).kubernetes === null) return { found: [] };
        const { lookAfterCluster } = await import('../adapters/kubernetes/aftercare.ts');
        return await lookAfterCluster(cluster, { sinceRevision, waitMs }, signal);
      },
    ),
  };
}
