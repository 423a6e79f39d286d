/** `worker`. */
import type { Command } from 'commander';
import { TASK_QUEUE } from '../../domain/operations/common.ts';
import { action } from '../common.ts';
import { note, UsageError } from '../output.ts';

interface WorkerFlags {
  metrics?: string;
  metricsEvery?: string;
}

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker until it is stopped (Ctrl-C or SIGTERM)')
    .option(
      '--metrics <address:port>',
      'serve Prometheus metrics at this address, such as 127.0.0.1:9464 (default: $SALVOR_METRICS, else off)',
    )
    .option(
      '--metrics-every <duration>',
      'how often to read the stores for the metrics (default: $SALVOR_METRICS_EVERY, else 5m)',
    )
    .action(
      action<WorkerFlags>(async ({ config, taskQueue = TASK_QUEUE, address, namespace, ...given }) => {
        if (address !== undefined || namespace !== undefined) {
          throw new UsageError(
            'a worker takes the address of Temporal from TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE or a profile; --address and --namespace do not apply to it',
          );
        }
        const { requireConfiguration } = await import('../../adapters/configuration/find.ts');
        const { loadConfiguration } = await import('../../adapters/configuration/load.ts');
        const configFile = await requireConfiguration(config);
        // A fault in the configuration shows now instead of at the first operation.
        await loadConfiguration(configFile);
        const { metricsOptions } = await import('../../workers/telemetry.ts');
        const metrics = metricsOptions({
          ...(given.metrics !== undefined && { address: given.metrics }),
          ...(given.metricsEvery !== undefined && { every: given.metricsEvery }),
        });
        const { runWorker } = await import('../../workers/worker.ts');
        await runWorker({
          configFile,
          taskQueue,
          ...(metrics && { metrics }),
          onReady: () => note(`salvor worker: polling "${taskQueue}" with ${configFile}`),
        });
        return 0;
      }),
    );
}
