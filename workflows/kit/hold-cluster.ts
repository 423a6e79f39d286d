/**
 * One changing operation per cluster at a time. Temporal is the lock: the operation's child with the fixed ID
 * `cluster/<name>` lives as long as the operation, whatever the operation's end is.
 */
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  defineSignal,
  ParentClosePolicy,
  setHandler,
  startChild,
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

/** Does something while holding the cluster; the failure `ClusterBusy` names who holds it already. */
export async function holdingCluster<T>(
  cluster: string,
  operation: HoldingOperation,
  act: () => Promise<T>,
): Promise<T> {
  // Outside the operation's cancellation: the cluster stays held while a cancelled operation cleans up.
  const hold = await CancellationScope.nonCancellable(async () => await takeHold(cluster, operation));
  try {
    return await act();
  } finally {
    await CancellationScope.nonCancellable(async () => {
      await hold.signal(releaseSignal);
      await hold.result();
    });
  }
}

/**
 * The same for an operation that may have a schedule: a scheduled run that comes second is skipped, and hasn't failed.
 */
export async function holdingClusterOrSkipping<T>(
  cluster: string,
  operation: HoldingOperation & ScheduledOperation,
  act: () => Promise<T>,
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
  const { workflowId } = workflowInfo();
  try {
    return await startChild(holdCluster, {
      workflowId: lockWorkflowId(cluster),
      args: [{ cluster, operation, workflowId }],
      memo: lockMemo(workflowId, operation),
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      staticSummary: `Holds ${cluster} for ${workflowId}`,
    });
  } catch (error) {
    // The class isn't exported to workflows; its name is part of the SDK's contract.
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    const holder = await lock.describeHolder({ cluster });
    throw failure(
      'ClusterBusy',
      `${cluster} is held by ${holder}; one operation changes a cluster at a time. Wait for it, or end it: \`salvor show ${holder}\``,
    );
  }
}
