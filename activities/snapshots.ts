/** Taking an etcd snapshot. */
import { z } from 'zod';
import { removeFromAll, takeSnapshot } from '../adapters/backup/take-snapshot.ts';
import { openStores } from '../adapters/stores/open.ts';
import { nodeOf } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { SnapshotTaken } from '../domain/snapshot-source.ts';
import { attended } from './attend.ts';
import { withActivityScratch } from './trials.ts';

const attemptSchema = z.object({ key: z.string() });

export function createSnapshotActivities() {
  return {
    /** Streams a snapshot of one member to every store that takes snapshots. A retry is a new snapshot under a new name, and takes back what the attempt before left. */
    takeSnapshot: attended(
      async (
        { cluster, node }: { cluster: Cluster; node: string },
        { signal, previous, remember },
      ): Promise<SnapshotTaken> => {
        const stores = await openStores(cluster);
        try {
          const left = attemptSchema.safeParse(previous);
          if (left.success) await removeFromAll(stores, left.data.key);
          return await withActivityScratch(async (scratch) => {
            return await takeSnapshot(cluster, nodeOf(cluster.nodes, node), stores, {
              signal,
              scratch,
              now: () => new Date(),
              onKey: (key) => remember({ key }),
            });
          });
        } finally {
          for (const store of stores) store.close();
        }
      },
    ),
  };
}
export type SnapshotActivities = ReturnType<typeof createSnapshotActivities>;
