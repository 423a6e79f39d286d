/** Who holds a cluster. */
import type { Client } from '@temporalio/client';
import { holderIn, lockWorkflowId } from '../domain/operations/common.ts';
import { attended } from './attend.ts';

export function createLockActivities(client: Client) {
  return {
    /** The workflow ID of the operation that holds the cluster, for the message of `ClusterBusy`. */
    describeHolder: attended(async ({ cluster }: { cluster: string }): Promise<string> => {
      const { memo } = await client.workflow.getHandle(lockWorkflowId(cluster)).describe();
      return holderIn(memo) ?? lockWorkflowId(cluster);
    }),
  };
}
