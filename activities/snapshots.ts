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
    /** Streams a snapshot of one member to every store that takes snapshots, but those left out for a reason. A retry is a new snapshot under a new name, and takes back what the attempt before left. */
    takeSnapshot: attended(
      async (
        {
          cluster,
          node,
          without = [],
        }: { cluster: Cluster; node: string; without?: { store: string; error: string }[] },
        { signal, previous, remember },
      ): Promise<SnapshotTaken> => {
        const isOut = (name: string) => without.some(({ store }) => store === name);
        const stores = await openStores({ ...cluster, stores: cluster.stores.filter(({ name }) => !isOut(name)) });
        try {
          const left = attemptSchema.safeParse(previous);
          if (left.success) await removeFromAll(stores, left.data.key);
          return await withActivityScratch(async (scratch) => {
            const taken = await takeSnapshot(cluster, nodeOf(cluster.nodes, node), stores, {
              signal,
              scratch,
              now: () => new Date(),
              onKey: (key) => remember({ key }),
            });
            const notSent = without.map(({ store, error }) => ({ store, state: 'failed' as const, error }));
            return { ...taken, copies: [...taken.copies, ...notSent] };
          });
        } finally {
          for (const store of stores) store.close();
        }
      },
    ),
  };
}
export type SnapshotActivities = ReturnType<typeof createSnapshotActivities>;
