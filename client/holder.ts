/** Who holds a cluster: Temporal itself is the lock. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { holderIn, lockWorkflowId } from '../domain/operations/common.ts';

/** The workflow ID of the operation that holds a cluster now. */
export async function holderOf(client: Client, cluster: string): Promise<string | undefined> {
  try {
    const { status, memo } = await client.workflow.getHandle(lockWorkflowId(cluster)).describe();
    return status.name === 'RUNNING' ? holderIn(memo) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
