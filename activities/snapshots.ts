/** Takes an etcd snapshot. */
import { parseAttempt } from '../adapters/backup/attempt.ts';
import { finishSnapshot } from '../adapters/backup/send-snapshot.ts';
import { takeSnapshot } from '../adapters/backup/take-snapshot.ts';
import { openStores } from '../adapters/stores/open.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { SnapshotTaken } from '../domain/format/snapshot-source.ts';
import { attended } from './attend.ts';
import { withActivityScratch } from './trials.ts';

export function createSnapshotActivities() {
  return {
    /**
     * Streams a snapshot of one member to every store that takes snapshots, except those in `without`. If a store
     * already has the whole snapshot, a retry copies it from there to the others. Otherwise a retry takes a new
     * snapshot under a new name and removes what the attempt before it left.
     */
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
          const taking = stores.filter((store) => store.holds('snapshot'));
          const attempt = parseAttempt(previous);
          const taken =
            (attempt && (await finishSnapshot(attempt, taking, { signal, remember }))) ??
            (await withActivityScratch(async (scratch) => {
              const options = { signal, scratch, now: () => new Date(), remember };
              return await takeSnapshot(cluster, nodeOf(cluster.nodes, node), stores, options);
            }));
          const notSent = without.map(({ store, error }) => ({ store, state: 'failed' as const, error }));
          return { ...taken, copies: [...taken.copies, ...notSent] };
        } finally {
          for (const store of stores) store.close();
        }
      },
    ),
  };
}
