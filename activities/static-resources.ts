/** Keeps the files of a node besides etcd's data. */
import { z } from 'zod';
import { takeStaticResources } from '../adapters/backup/static-resources.ts';
import { hostFor } from '../adapters/hosts/find.ts';
import { openStores } from '../adapters/stores/open.ts';
import { takeBack } from '../adapters/stores/take-back.ts';
import { nodeOf } from '../domain/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import type { BackupId } from '../domain/format/keys.ts';
import { type StaticResourcesTaken } from '../domain/backups/static-resources.ts';
import { attended } from './attend.ts';
import { storeHolds } from '../domain/format/keys.ts';

const attemptSchema = z.object({ key: z.string() });

export function createStaticResourceActivities() {
  return {
    /**
     * Archives one node's static resources in every store that holds them. A retry first removes what the attempt
     * before it left.
     */
    keepStaticResources: attended(
      async (
        { cluster, node, backup }: { cluster: Cluster; node: string; backup: BackupId },
        { signal, previous, remember },
      ): Promise<StaticResourcesTaken> => {
        const found = nodeOf(cluster.nodes, node);
        const holding = cluster.stores.filter((store) => storeHolds(store, 'static-resources'));
        const stores = await openStores({ ...cluster, stores: holding });
        const host = hostFor(found);
        try {
          const left = attemptSchema.safeParse(previous);
          if (left.success) await takeBack(stores, left.data.key);
          const onKey = (key: string) => remember({ key });
          return await takeStaticResources(cluster, found, host, stores, { backup, signal, onKey });
        } finally {
          await host.close();
          for (const store of stores) store.close();
        }
      },
    ),
  };
}
