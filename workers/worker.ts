/** The process that hosts workflows and activities. */
import { Worker } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { TASK_QUEUE } from '../domain/operations/common.ts';
import { bundleWorkflows } from './bundle.ts';
import { spareCollections } from './spare-collections.ts';
import { watchStores } from './store-metrics.ts';
import { tendScratch } from './tend-scratch.ts';
import { type MetricsOptions, serveMetrics } from './telemetry.ts';
import { connectWorker, type WorkerConnections } from './temporal.ts';

export interface WorkerOptions {
  /** `salvor.yaml` or a directory of such files; read afresh for every operation. */
  configFile: string;
  /** Default {@link TASK_QUEUE}. */
  taskQueue?: string;
  /** Ends the worker: no new work, and what runs is given `shutdownGraceTime`. */
  signal?: AbortSignal;
  /** Serves metrics; one worker of a process can. */
  metrics?: MetricsOptions;
  /** Called when the worker polls. */
  onReady?: () => void;
}

/**
 * Hosts workflows and activities until it is told to stop by `signal`, SIGINT or SIGTERM.
 * Temporal's address, namespace and credentials are those of its own environment variables and profiles.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { configFile, taskQueue = TASK_QUEUE, metrics, onReady } = options;
  spareCollections();
  const done = new AbortController();
  const ended = options.signal ?? done.signal;
  // Also while Temporal can't be reached: then nothing makes backups, and they grow old.
  const watching =
    metrics && watchStores(serveMetrics(metrics.address), { ...metrics, configFile, signal: done.signal, say });
  let temporal: WorkerConnections | undefined;
  try {
    const [workflowBundle, connections] = await Promise.all([bundleWorkflows(), connectWorker(ended, say)]);
    temporal = connections;
    const worker = await Worker.create({
      connection: temporal.native,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle,
      activities: createActivities(configFile, temporal.client),
      shutdownGraceTime: '10s',
      // Each takes 45 MiB and a part of the start; an operation's decisions take milliseconds of it.
      workflowThreadPoolSize: 1,
      // What an attempt remembers must have left the worker before it is killed, or the next one can't go on with it.
      maxHeartbeatThrottleInterval: '1s',
      // What a killed worker held is given to another one after this; the default of 10 s would be downtime of a
      // cluster.
      stickyQueueScheduleToStartTimeout: '2s',
    });
    void tendScratch(done.signal, say);
    const shutDown = (): void => worker.shutdown();
    ended.addEventListener('abort', shutDown, { once: true });
    const running = worker.run();
    onReady?.();
    await running;
    // A worker that has stopped can't be told to.
    ended.removeEventListener('abort', shutDown);
  } finally {
    done.abort();
    await temporal?.close();
    await watching;
  }
}

function say(line: string): void {
  process.stderr.write(`salvor worker: ${line}\n`);
}
