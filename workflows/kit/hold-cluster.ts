/**
 * One changing operation per cluster at a time. Temporal is the lock: the operation's child with the fixed ID
 * `cluster/<name>` lives as long as the operation, whatever the operation's end is.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  defineSignal,
  log,
  ParentClosePolicy,
  setHandler,
  startChild,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { lockMemo, lockWorkflowId, type SkippedReport } from '../../domain/operations/common.ts';
import type { HoldingOperation, Operation, ScheduledOperation } from '../../domain/operations/index.ts';
import { lock } from './activities.ts';
import { failure, failureTypeOf, reasonOf } from './failure.ts';

const SCHEDULED_BY = defineSearchAttributeKey('TemporalScheduledById', 'KEYWORD');

const releaseSignal = defineSignal('release');

/** The lock itself: it waits until its holder lets go. Its input is what `ClusterBusy` tells of the holder. */
export async function holdCluster(_holder: {
  cluster: string;
  operation: Operation;
  workflowId: string;
}): Promise<void> {
  let released = false;
  setHandler(releaseSignal, () => {
    released = true;
  });
  await condition(() => released);
}

/** The hold of a cluster, as the operation sees it. */
export interface Hold {
  /**
   * Right before the first change, since an approval and a backup take their time.
   * @throws the failure `HoldLost` when the lock was ended, or this is a reset of the operation that took it
   */
  confirm(): Promise<void>;
  /**
   * Takes the cluster again when its lock was ended in the middle of a change. What has begun must come to its end.
   * @throws the failures `HoldLost` for a reset, `ClusterBusy` when another operation has taken the cluster meanwhile
   */
  takeAgain(): Promise<void>;
  /** Whether it had to be taken again. */
  wasLost(): boolean;
}

/** Does something while holding the cluster; the failure `ClusterBusy` names who holds it already. */
export async function holdingCluster<T>(
  cluster: string,
  operation: HoldingOperation,
  act: (hold: Hold) => Promise<T>,
): Promise<T> {
  // Outside the operation's cancellation: the cluster stays held while a cancelled operation cleans up.
  let lockOfCluster = await CancellationScope.nonCancellable(async () => await takeHold(cluster, operation));
  try {
    // In the history of a reset this is another run than its own.
    const { run } = await lock.confirmHold({ cluster });
    let wasLost = false;
    let taking: Promise<void> | undefined;
    const takeOnce = async () => {
      if (run !== workflowInfo().runId) {
        const { workflowId } = workflowInfo();
        throw failure(
          'HoldLost',
          `this is a reset of ${workflowId}, whose hold on ${cluster} has ended; abort it and start a new operation`,
        );
      }
      lockOfCluster = await takeHold(cluster, operation);
      wasLost = true;
    };
    return await act({
      confirm: async () => {
        await lock.confirmHold({ cluster });
      },
      // Steps of several nodes find it lost at once.
      takeAgain: async () => await (taking ??= takeOnce().finally(() => (taking = undefined))),
      wasLost: () => wasLost,
    });
  } finally {
    await CancellationScope.nonCancellable(async () => await release(lockOfCluster));
  }
}

/** A lock that somebody has ended is no reason to lose the operation's result. */
async function release(lockOfCluster: Awaited<ReturnType<typeof takeHold>>): Promise<void> {
  try {
    await lockOfCluster.signal(releaseSignal);
    await lockOfCluster.result();
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    log.warn('the lock of the cluster was gone before it was released', { reason: reasonOf(error) });
  }
}

/**
 * The same for an operation that may have a schedule: a scheduled run that comes second is skipped, and hasn't failed.
 */
export async function holdingClusterOrSkipping<T>(
  cluster: string,
  operation: HoldingOperation & ScheduledOperation,
  act: (hold: Hold) => Promise<T>,
): Promise<T | SkippedReport> {
  try {
    return await holdingCluster(cluster, operation, act);
  } catch (error) {
    if (!isScheduled() || failureTypeOf(error) !== 'ClusterBusy') throw error;
    return { cluster, state: 'skipped', reason: reasonOf(error) };
  }
}

/** Temporal says so itself of whatever one of its schedules started. */
function isScheduled(): boolean {
  return workflowInfo().typedSearchAttributes.get(SCHEDULED_BY) !== undefined;
}

async function takeHold(cluster: string, operation: Operation) {
  const { workflowId, runId } = workflowInfo();
  try {
    return await startChild(holdCluster, {
      workflowId: lockWorkflowId(cluster),
      args: [{ cluster, operation, workflowId }],
      memo: lockMemo(workflowId, runId, operation),
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      staticSummary: `Holds ${cluster} for ${workflowId}`,
    });
  } catch (error) {
    // The class isn't exported to workflows; its name is part of the SDK's contract.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    const holder = await lock.describeHolder({ cluster });
    throw failure(
      'ClusterBusy',
      `${cluster} is held by ${holder}; only one operation can change a cluster at a time. Wait until it ends, or end it: \`salvor show ${holder}\``,
    );
  }
}
