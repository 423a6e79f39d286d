/**
 * The journal of a restore on a node, and what it is for: where a node is when the operation that changed it is gone.
 */
import { controlPlaneFor } from '../adapters/flavours/index.ts';
import { isStaged } from '../adapters/node-data/data-directory.ts';
import { closeJournal, readJournal, writeJournal } from '../adapters/node-data/journal.ts';
import type { Journal, NodePosition } from '../domain/restore/journal.ts';
import { attended } from './attend.ts';
import { onHost, type OnNode } from './on-host.ts';

export function createJournalActivities() {
  return {
    /** Replaces the one that is there. */
    writeJournal: attended(async (order: OnNode & { journal: Journal }, { signal }) => {
      return await onHost(order, async (node, host) => ({
        path: await writeJournal(node, host, order.journal, signal),
      }));
    }),

    /** Null where no restore was under way. */
    readJournal: attended(async (order: OnNode, { signal }): Promise<Journal | null> => {
      return await onHost(order, async (node, host) => (await readJournal(node, host, signal)) ?? null);
    }),

    closeJournal: attended(async (order: OnNode, { signal }) => {
      await onHost(order, async (node, host) => await closeJournal(node, host, signal));
    }),

    /** How far a restore came on a node. */
    readPosition: attended(async (order: OnNode & { operationId: string }, { signal }): Promise<NodePosition> => {
      return await onHost(order, async (node, host) => ({
        staged: await isStaged(node, host, order.operationId, signal),
        etcd: await controlPlaneFor(order.cluster, node, host).etcd.status(signal),
      }));
    }),
  };
}
