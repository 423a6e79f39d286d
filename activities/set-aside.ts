/** What restores and replacements have moved aside on the nodes. */
import { listSetAside, removeSetAside } from '../adapters/node-data/set-aside.ts';
import type { SetAside } from '../domain/restore/set-aside.ts';
import { attended } from './attend.ts';
import { type OnNode, onHost } from './on-host.ts';

export function createSetAsideActivities() {
  return {
    listSetAside: attended(async (order: OnNode, { signal }): Promise<SetAside[]> => {
      return await onHost(order, async (node, host) => await listSetAside(order.cluster, node, host, signal));
    }),

    /**
     * Only for an operation that holds the cluster: an operation that waits for a person may still need what it set
     * aside.
     */
    removeSetAside: attended(async (order: OnNode & { paths: string[] }, { signal }) => {
      return await onHost(
        order,
        async (node, host) => await removeSetAside(order.cluster, node, host, order.paths, signal),
      );
    }),
  };
}
