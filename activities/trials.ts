/** Proving a backup before anything depends on it. */
import { activityInfo } from '@temporalio/activity';
import { type Trial, trialRestore } from '../adapters/drill/trial-restore.ts';
import { withScratch } from '../adapters/scratch.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { SnapshotSource } from '../domain/snapshot-source.ts';
import { attended } from './attend.ts';

export function createTrialActivities() {
  return {
    /** Restores the snapshot into a scratch etcd on the worker: what fails here has touched nothing. */
    trialRestore: attended(
      async ({ cluster, source }: { cluster: Cluster; source: SnapshotSource }, { signal }): Promise<Trial> => {
        const { workflowExecution, activityId } = activityInfo();
        const name = `trial-${workflowExecution?.runId ?? ''}-${activityId}`;
        return await withScratch(name, async (scratch) => await trialRestore(cluster, source, scratch, signal));
      },
    ),
  };
}
export type TrialActivities = ReturnType<typeof createTrialActivities>;
