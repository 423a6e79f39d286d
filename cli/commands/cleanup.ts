/** `cleanup`. */
import type { Command } from 'commander';
import type { CleanUpInput } from '../../domain/operations/clean-up.ts';
import { action, type CommonOptions } from '../common.ts';
import { requireName } from '../input.ts';
import { UsageError } from '../output.ts';

interface CleanUpOptions extends CommonOptions {
  dryRun?: boolean;
  confirm?: string;
}

export function addCleanUp(program: Command): void {
  program
    .command('cleanup')
    .description(
      'remove what restores and replacements have moved aside on the nodes: old data, configuration, certificates',
    )
    .argument('<cluster>', 'its name in the configuration')
    .option('--dry-run', 'say what there is, and remove nothing')
    .option('--confirm <cluster>', "the cluster's name once more: what is removed is the way back")
    .action(
      action<CleanUpOptions>(async (options, cluster) => {
        const { dryRun = false, confirm } = options;
        requireName('cluster', cluster);
        if (!dryRun && confirm === undefined) {
          throw new UsageError(
            `what is removed is the way back; look at it with --dry-run, then repeat the cluster's name: --confirm ${cluster}`,
          );
        }
        const input: CleanUpInput = { cluster, dryRun, ...(confirm !== undefined && { confirm }) };
        const { operate } = await import('../operate.ts');
        return operate(
          options,
          'cleanUp',
          input,
          `${dryRun ? 'Look at' : 'Remove'} what was moved aside on the nodes of ${cluster}`,
        );
      }),
    );
}
