/** What the operations need of the engine that runs them. Only this folder knows that the engine is Temporal. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';

export { isCancellation, sleep } from '@temporalio/workflow';

/** Runs `act` to its end, even when the operation is cancelled meanwhile. */
export async function untouchable<T>(act: () => Promise<T>): Promise<T> {
  return await CancellationScope.nonCancellable(act);
}

/** The ID of the operation that runs this code. */
export function ownWorkflowId(): string {
  return workflowInfo().workflowId;
}

/** The run of it: a reset begins another one with the same ID. */
export function ownRunId(): string {
  return workflowInfo().runId;
}
