/**
 * Only one operation at a time may change a cluster. Temporal is the lock: the operation starts a child workflow with
 * the fixed ID `cluster/<name>`, which ends together with the operation, however that ends.
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

/** The lock itself: it waits until its holder releases it. Its input shows people who holds the cluster. */
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

/** An operation's hold of its cluster. */
export interface Hold {
  /**
   * Checks the hold right before the first change, since an approval and a backup may have taken long.
   * @throws the failure `HoldLost` when the lock was ended, or when this is a reset of the operation that took it
   */
  confirm(): Promise<void>;
  /**
   * Takes the cluster again when its lock was ended during a change: a change that has begun must be finished.
   * @throws the failures `HoldLost` for a reset, `ClusterBusy` when another operation has taken the cluster meanwhile
   */
  takeAgain(): Promise<void>;
  /** Whether the hold was lost and had to be taken again. */
  wasLost(): boolean;
}

/**
 * Runs `act` while holding the cluster. If another operation holds it, the failure `ClusterBusy` names that operation.
 */
export async function holdingCluster<T>(
  cluster: string,
  operation: HoldingOperation,
  act: (hold: Hold) => Promise<T>,
): Promise<T> {
  // The operation's cancellation must not end the lock: the cluster stays held while a cancelled operation cleans up.
  let lockOfCluster = await CancellationScope.nonCancellable(async () => await takeHold(cluster, operation));
  try {
    // In the history of a reset, this is the run of the original operation, not its own.
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
      // Steps on several nodes can find the hold lost at the same time.
      takeAgain: async () => await (taking ??= takeOnce().finally(() => (taking = undefined))),
      wasLost: () => wasLost,
    });
  } finally {
    await CancellationScope.nonCancellable(async () => await release(lockOfCluster));
  }
}

/** Releases the lock. If somebody has already ended it, the operation still keeps its result. */
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
 * Does the same for an operation that may have a schedule. If the cluster is held, a scheduled run is skipped instead
 * of failing.
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

/** Whether a schedule started this operation. Temporal sets this attribute on every workflow that a schedule starts. */
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
    // Temporal doesn't export the class to workflows; its name is part of the SDK's contract.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    const holder = await lock.describeHolder({ cluster });
    throw failure(
      'ClusterBusy',
      `${cluster} is held by ${holder}; only one operation can change a cluster at a time. Wait until it ends, or end it: \`salvor show ${holder}\``,
    );
  }
}
