/** Proves a backup before anything depends on it. */
import { activityInfo } from '@temporalio/activity';
import { drill } from '../adapters/drill/drill.ts';
import { withScratch } from '../adapters/scratch/folders.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { SnapshotSource } from '../domain/format/snapshot-source.ts';
import type { TrialResult } from '../domain/restore/trial.ts';
import { attended } from './attend.ts';

/** Gives one activity a folder on the worker. The next attempt of the same activity finds and clears it. */
export async function withActivityScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const { workflowExecution, activityId } = activityInfo();
  return await withScratch(`${workflowExecution?.runId ?? 'no-workflow'}-${activityId}`, work);
}

export function createTrialActivities() {
  return {
    /** Restores the snapshot into a scratch etcd on the worker: a failure here has touched nothing. */
    trialRestore: attended(
      async ({ cluster, source }: { cluster: Cluster; source: SnapshotSource }, { signal }): Promise<TrialResult> => {
        return await withActivityScratch(async (scratch) => await drill(cluster, source, { scratch, signal }));
      },
    ),
  };
}
