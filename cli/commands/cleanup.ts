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
      'remove what restores and replacements have set aside on the nodes: old data, configuration, certificates',
    )
    .argument('<cluster>', 'its name in the configuration')
    .option('--dry-run', 'show what would be removed, and remove nothing')
    .option('--confirm <cluster>', "repeat the cluster's name: after this there is no way back")
    .action(
      action<CleanUpOptions>(async (options, cluster) => {
        const { dryRun = false, confirm } = options;
        requireName('cluster', cluster);
        if (!dryRun && confirm === undefined) {
          throw new UsageError(
            `this removes the old data, the only way back; look at it with --dry-run, then repeat the cluster's name: --confirm ${cluster}`,
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
