/** The new data, written beside the old on every node while the cluster still runs. */
import type { StagingOrder } from '../../activities/nodes.ts';
import { highestRevision, raiseAbove } from '../../domain/restore/revision.ts';
import { preparing, staging } from '../kit/activities.ts';
import { untouchable } from '../kit/engine.ts';
import { formatBytes } from '../../domain/units.ts';
import type { PlannedRestore } from './draw-plan.ts';
import type { RestoreOperation } from './operation.ts';
import type { SafetyCopy } from './safety-copy.ts';

export interface Staging {
  order: StagingOrder;
  /** The highest revision that a client can have seen when this was decided; null when no member told. */
  before: string | null;
  /** The restored members begin at this revision or above. */
  floor: string;
}

/**
 * What is staged follows from the newest that is known: the plan as it was approved, and the safety copy taken after
 * it.
 */
export function stagingOf({ facts, plan }: PlannedRestore, safetyCopy: SafetyCopy, operationId: string): Staging {
  const { source, trial, cluster } = facts;
  const live = highestRevision(plan.before.revision, safetyCopy.revision);
  const { before, bumpRevision, floor } = raiseAbove(plan.trial.revision, live, plan.nodes);
  return {
    before,
    floor,
    order: {
      operationId,
      // The copy that passed the trial first.
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

/** When one node can't be staged, the others are cleaned up again: nothing was touched, and nothing is left. */
export async function stageEverywhere({ order }: Staging, op: RestoreOperation): Promise<void> {
  const { cluster, runbook } = op;
  try {
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

export async function unstageEverywhere(operationId: string, { cluster, runbook }: RestoreOperation): Promise<void> {
  await untouchable(
    async () =>
      await runbook.onEvery(
        'Remove what was staged',
        cluster.nodes,
        async (node) => await preparing(node).unstageDataDirectory({ cluster, node: node.name, operationId }),
        () => 'removed',
      ),
  );
}
