/** What the stories need of the engine that runs them; only this folder knows that it is Temporal. */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';

export { isCancellation, sleep } from '@temporalio/workflow';

/** Does something to its end even when the operation is cancelled meanwhile. */
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
