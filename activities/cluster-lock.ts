/** Which operation holds a cluster. */
import type { Client } from '@temporalio/client';
import { holderIn, lockWorkflowId } from '../domain/operations/common.ts';
import { attended } from './attend.ts';
import { requireHold } from './authority.ts';

export function createLockActivities(client: Client) {
  return {
    /** The workflow ID of the operation that holds the cluster, for the message of `ClusterBusy`. */
    describeHolder: attended(async ({ cluster }: { cluster: string }): Promise<string> => {
      const { memo } = await client.workflow.getHandle(lockWorkflowId(cluster)).describe();
      return holderIn(memo) ?? lockWorkflowId(cluster);
    }),

    /**
     * Makes sure that this run of the operation holds the cluster; fails with `HoldLost` if it doesn't.
     * @returns the ID of this run
     */
    confirmHold: attended(async ({ cluster }: { cluster: string }): Promise<{ run: string }> => {
      return { run: await requireHold(client, cluster) };
    }),
  };
}
