/** The journal of a restore on a node. It shows how far the node is when the operation that changed it is lost. */
import { activityInfo } from '@temporalio/activity';
import { type Client, Connection } from '@temporalio/client';
import { controlPlaneFor } from '../adapters/flavours/index.ts';
import { closeJournal, openJournal, readJournal, writeJournal } from '../adapters/node-data/journal.ts';
import { identityOf, newDataOn, requireNewData } from '../adapters/node-data/new-data.ts';
import { refuseOthersStaging } from '../adapters/node-data/staging-of-others.ts';
import { restorePaths } from '../domain/node-paths.ts';
import type { Journal, NodePosition, RestoreRun } from '../domain/restore/journal.ts';
import { attended } from './attend.ts';
import { onHost, type OnNode } from './on-host.ts';

export function createJournalActivities(client: Client) {
  return {
    /** Before anything else is written on the node; the journal of another restore is never replaced. */
    openJournal: attended(async (order: OnNode & { journal: Journal }, { signal }) => {
      const journal = { ...order.journal, temporal: placeOf(client) };
      return await onHost(order, async (node, host) => {
        await refuseOthersStaging(node, host, journal.operationId, signal);
        return { path: await openJournal(node, host, journal, signal) };
      });
    }),

    /** Replaces the one of the same restore. In `changing` its new data must be there: nothing was stopped yet. */
    writeJournal: attended(async (order: OnNode & { journal: Journal }, { signal }) => {
      const journal = { temporal: placeOf(client), ...order.journal };
      const { operationId, phase, runId } = journal;
      const mustBeThere = runId === activityInfo().workflowExecution?.runId;
      return await onHost(order, async (node, host) => {
        if (phase === 'changing') await requireNewData(node, host, operationId, signal);
        const newData = await identityOf(host, restorePaths(node.etcd.dataDir, operationId).staged, signal);
        return { path: await writeJournal(node, host, journal, { newData, mustBeThere }, signal) };
      });
    }),

    /** Returns null when no restore was under way on the node. */
    readJournal: attended(async (order: OnNode, { signal }): Promise<Journal | null> => {
      return await onHost(order, async (node, host) => {
        const found = await readJournal(node, host, signal);
        if (found === undefined) return null;
        // That is of this node alone.
        const { newData: _newData, ...journal } = found;
        return journal;
      });
    }),

    closeJournal: attended(async (order: OnNode & { run: RestoreRun }, { signal }) => {
      await onHost(order, async (node, host) => await closeJournal(node, host, order.run, signal));
    }),

    /** Returns how far a restore got on a node. */
    readPosition: attended(async (order: OnNode & { operationId: string }, { signal }): Promise<NodePosition> => {
      return await onHost(order, async (node, host) => ({
        newData: await newDataOn(node, host, order.operationId, signal),
        etcd: await controlPlaneFor(order.cluster, node, host).etcd.status(signal),
      }));
    }),
  };
}

/** Where the operation runs, for a person who finds its journal and another Temporal server. */
function placeOf({ connection, options }: Client): string {
  const address = connection instanceof Connection ? connection.options.address : 'unknown';
  return `${address}, namespace ${options.namespace}`;
}
