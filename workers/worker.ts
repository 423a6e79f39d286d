/** The process that hosts workflows and activities. */
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { createBackupActivities } from '../activities/backups.ts';
import { createConfigurationActivities } from '../activities/configuration.ts';
import { createLockActivities } from '../activities/cluster-lock.ts';
import { createMemberActivities } from '../activities/members.ts';
import { createNodeActivities } from '../activities/nodes.ts';
import { createSnapshotActivities } from '../activities/snapshots.ts';
import { createTrialActivities } from '../activities/trials.ts';
import { TASK_QUEUE } from '../domain/operations.ts';
import { bundleWorkflows } from './bundle.ts';
import { connectWorker } from './temporal.ts';

export interface WorkerOptions {
  /** `salvor.yaml` or a directory of such files; read afresh for every operation. */
  configFile: string;
  /** Default {@link TASK_QUEUE}. */
  taskQueue?: string;
  /** Ends the worker: no new work, and what runs is given `shutdownGraceTime`. */
  signal?: AbortSignal;
  /** Called when the worker polls. */
  onReady?: () => void;
}

/** Everything that workflows may ask for. */
export function createActivities(configFile: string, client: Client) {
  return {
    ...createConfigurationActivities(configFile),
    ...createLockActivities(client),
    ...createMemberActivities(),
    ...createSnapshotActivities(),
    ...createBackupActivities(),
    ...createTrialActivities(),
    ...createNodeActivities(),
  };
}

/**
 * Hosts workflows and activities until it is told to stop by `signal`, SIGINT or SIGTERM.
 * Temporal's address, namespace and credentials are those of its own environment variables and profiles.
 */
export async function runWorker({ configFile, taskQueue = TASK_QUEUE, signal, onReady }: WorkerOptions): Promise<void> {
  const ended = signal ?? new AbortController().signal;
  const [workflowBundle, temporal] = await Promise.all([
    bundleWorkflows(),
    connectWorker(ended, (line) => process.stderr.write(`${line}\n`)),
  ]);
  try {
    const worker = await Worker.create({
      connection: temporal.native,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle,
      activities: createActivities(configFile, temporal.client),
      shutdownGraceTime: '10s',
      // What a killed worker held is given to another one after this; the default of 10 s would be downtime of a cluster.
      stickyQueueScheduleToStartTimeout: '2s',
    });
    ended.addEventListener('abort', () => worker.shutdown(), { once: true });
    const running = worker.run();
    onReady?.();
    await running;
  } finally {
    await temporal.close();
  }
}
