/** Finds out whether a worker is running. */
import type { Client } from '@temporalio/client';

/** A live worker asks Temporal for work at least once a minute. */
const WORKER_SILENCE_MS = 75_000;
const WORKFLOW_QUEUE = 1;
const DEADLINE_MS = 3_000;

/** Whether a worker that last asked for work at `polledAt` is still running. */
export function isPolling(polledAt: Date | undefined, now: Date): boolean {
  return polledAt !== undefined && now.getTime() - polledAt.getTime() < WORKER_SILENCE_MS;
}

/** When a worker last polled a task queue for workflows. Temporal forgets pollers after some minutes. */
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
