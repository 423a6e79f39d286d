/** Writes the new data next to the old on every node while the cluster still runs. */
import type { StagingOrder } from '../../activities/nodes.ts';
import { highestRevision, raiseAbove } from '../../domain/restore/revision.ts';
import { type Journal, type RestoreRun, runOf } from '../../domain/restore/journal.ts';
import { preparing, staging } from '../kit/activities.ts';
import { ownRunId, ownWorkflowId, untouchable } from '../kit/engine.ts';
import { formatBytes } from '../../domain/units.ts';
import type { PlannedRestore } from './draw-plan.ts';
import { openJournal } from './keep-journal.ts';
import type { RestoreOperation } from './operation.ts';
import type { SafetyCopy } from './safety-copy.ts';

export interface Staging {
  order: StagingOrder;
  /** What the nodes are told before anything is staged there. */
  journal: Journal;
  /** The highest revision that a client may have seen when this was decided; null when no member reported one. */
  before: string | null;
  /** The restored members begin at this revision or above. */
  floor: string;
}

/** Decides what to stage from the newest facts: the approved plan and the safety copy taken after it. */
export function stagingOf({ facts, plan }: PlannedRestore, safetyCopy: SafetyCopy, operationId: string): Staging {
  const { source, trial, cluster } = facts;
  const live = highestRevision(plan.before.revision, safetyCopy.revision);
  const { before, bumpRevision, floor } = raiseAbove(plan.trial.revision, live, plan.nodes);
  const run = ownRun(operationId);
  const { clusterId, leader, up, hadLeader } = plan.before;
  return {
    before,
    floor,
    journal: {
      formatVersion: 1,
      cluster: cluster.name,
      ...run,
      backup: source.backup,
      touchedAt: new Date().toISOString(),
      phase: 'preparing',
      problem: null,
      revision: { before, snapshot: plan.trial.revision, floor },
      clusterId,
      leader,
      up,
      hadLeader,
      nodes: facts.nodes.map(({ name, etcd, apiServer, dataDir }) => ({ name, etcd, apiServer, dataDir })),
    },
    order: {
      ...run,
      // The store whose copy passed the trial comes first.
      source: {
        ...source,
        stores: source.stores.toSorted((a, b) => Number(b === trial.store) - Number(a === trial.store)),
      },
      content: trial.content,
      bumpRevision,
      clusterToken: `salvor-${cluster.name}-${operationId}`,
    },
  };
}

function ownRun(operationId: string): RestoreRun {
  return { operationId, workflowId: ownWorkflowId(), runId: ownRunId() };
}

/**
 * Stages on every node. If one node fails, the others are cleaned up again: nothing was touched, and nothing is left
 * behind.
 */
export async function stageEverywhere({ order, journal }: Staging, op: RestoreOperation): Promise<void> {
  const { cluster, runbook } = op;
  try {
    await openJournal(journal, op);
    await runbook.onEvery(
      'Stage the new data directory',
      cluster.nodes,
      async (node) => await staging(node).stageDataDirectory({ cluster, node: node.name, staging: order }),
      ({ staged }) => `${staged}, ${formatBytes(order.content.bytes)}`,
    );
  } catch (error) {
    await unstageEverywhere(order.operationId, op);
    throw error;
  }
}

/** @param run whose it is; of this operation when it isn't given */
export async function unstageEverywhere(
  operationId: string,
  { cluster, runbook }: RestoreOperation,
  run: RestoreRun = ownRun(operationId),
): Promise<void> {
  await untouchable(
    async () =>
      await runbook.onEvery(
        'Remove what was staged',
        cluster.nodes,
        async (node) => await preparing(node).unstageDataDirectory({ cluster, node: node.name, run: runOf(run) }),
        ({ removed }) => (removed ? 'removed' : 'nothing: the node has the journal of another restore'),
      ),
  );
}
