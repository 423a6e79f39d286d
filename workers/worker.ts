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
  /** `salvor.yaml` or a directory of such files; every operation reads it again. */
  configFile: string;
  /** {@link TASK_QUEUE} by default. */
  taskQueue?: string;
  /** Ends the worker: it takes no new work, and running work has `shutdownGraceTime` to finish. */
  signal?: AbortSignal;
  /** Serves metrics; only one worker per process can. */
  metrics?: MetricsOptions;
  /** Called once the worker polls. */
  onReady?: () => void;
}

/**
 * Hosts workflows and activities until `signal`, SIGINT or SIGTERM stops it. Temporal's address, namespace and
 * credentials come from Temporal's own environment variables and profiles.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { configFile, taskQueue = TASK_QUEUE, metrics, onReady } = options;
  spareCollections();
  const done = new AbortController();
  const ended = options.signal ?? done.signal;
  // It also runs while Temporal can't be reached: no backups are made then, and the metrics must show them grow old.
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
      // Each thread takes 45 MiB and slows the start, and an operation's decisions need only milliseconds of it.
      workflowThreadPoolSize: 1,
      // Temporal must have what an attempt remembers before the worker is killed, or the next attempt can't use it.
      maxHeartbeatThrottleInterval: '1s',
      // After this long another worker takes over the workflows of a killed one; with the default of 10 s a cluster
      // would be down for longer.
      stickyQueueScheduleToStartTimeout: '2s',
    });
    void tendScratch(done.signal, say);
    const shutDown = (): void => worker.shutdown();
    ended.addEventListener('abort', shutDown, { once: true });
    const running = worker.run();
    onReady?.();
    await running;
    // A worker that has already stopped throws when it is shut down.
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
