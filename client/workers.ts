/** Whether there is anyone to do the work. */
import type { Client } from '@temporalio/client';

const WORKFLOW_QUEUE = 1;
const DEADLINE_MS = 3_000;

/** When a worker last asked for workflows of a task queue. Temporal forgets pollers after some minutes; a live one asks at least each minute. */
export async function lastWorkerPoll(client: Client, taskQueue: string): Promise<Date | undefined> {
  const describe = () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_QUEUE,
    });
  const { pollers } = await client.withDeadline(Date.now() + DEADLINE_MS, describe);
  const times = (pollers ?? []).map((poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1_000);
  const newest = Math.max(0, ...times);
  return newest > 0 ? new Date(newest) : undefined;
}
