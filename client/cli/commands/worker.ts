/** `worker`. */
import type { Command } from 'commander';
import { TASK_QUEUE } from '../../../domain/operations.ts';
import { action } from '../common.ts';
import { note, UsageError } from '../output.ts';

export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('host the workflows and activities until it is told to stop (Ctrl-C, SIGTERM)')
    .action(
      action(async ({ config, taskQueue = TASK_QUEUE, address, namespace }) => {
        if (address !== undefined || namespace !== undefined) {
          throw new UsageError(
            'a worker finds Temporal by TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE or a profile, not by --address or --namespace',
          );
        }
        const { requireConfiguration } = await import('../../../adapters/configuration/find.ts');
        const { loadConfiguration } = await import('../../../adapters/configuration/load.ts');
        const configFile = await requireConfiguration(config);
        // A fault in it shows now, and not at the first operation.
        await loadConfiguration(configFile);
        const { runWorker } = await import('../../../workers/worker.ts');
        await runWorker({
          configFile,
          taskQueue,
          onReady: () => note(`salvor worker: polling "${taskQueue}" with ${configFile}`),
        });
        return 0;
      }),
    );
}
