/** What restores have left beside the data directories. */
import { listSetAside, removeSetAside } from '../adapters/node-data/set-aside.ts';
import type { SetAside } from '../domain/restore/set-aside.ts';
import { attended } from './attend.ts';
import { type OnNode, onHost } from './on-host.ts';

export function createSetAsideActivities() {
  return {
    listSetAside: attended(async (order: OnNode, { signal }): Promise<SetAside[]> => {
      return await onHost(order, async (node, host) => await listSetAside(node, host, signal));
    }),

    /** For an operation that holds the cluster: a restore that waits for a person may still want what it set aside. */
    removeSetAside: attended(async (order: OnNode & { paths: string[] }, { signal }) => {
      return await onHost(order, async (node, host) => await removeSetAside(node, host, order.paths, signal));
    }),
  };
}
