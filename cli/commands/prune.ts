/** `prune`, `pin` and `unpin`. */
import type { Command } from 'commander';
import { action, type CommonOptions } from '../common.ts';
import { requireBackup, requireName } from '../input.ts';

interface PruneOptions extends CommonOptions {
  store?: string;
  dryRun?: boolean;
  includeForeign?: boolean;
  removeMany?: boolean;
}

export function addPrune(program: Command): void {
  program
    .command('prune')
    .description('remove the backups that the retention of their stores no longer keeps')
    .argument('<cluster>', 'its name in the configuration')
    .option('--store <name>', 'only in this store')
    .option('--dry-run', 'say what would be kept and removed, and why; remove nothing')
    .option('--include-foreign', 'also snapshots without a manifest: of an older script, of OpenShift')
    .option('--remove-many', 'also when more good backups go than stay')
    .action(
      action<PruneOptions>(async (options, cluster) => {
        const { store, dryRun = false, includeForeign = false, removeMany = false } = options;
        requireName('cluster', cluster);
        if (store !== undefined) requireName('store', store);
        const input = {
          cluster,
          dryRun,
          includeForeign,
          ...(removeMany && { removeMany }),
          ...(store !== undefined && { store }),
        };
        const { operate } = await import('../operate.ts');
        return operate(
          options,
          'prune',
          input,
          dryRun ? `See what pruning ${cluster} would remove` : `Prune ${cluster}`,
        );
      }),
    );
}

export function addPin(program: Command): void {
  addPinning(program, 'pin', 'never prune a backup until it is unpinned', true);
}

export function addUnpin(program: Command): void {
  addPinning(program, 'unpin', 'allow a pinned backup to be pruned again', false);
}

function addPinning(program: Command, name: 'pin' | 'unpin', description: string, pinned: boolean): void {
  program
    .command(name)
    .description(description)
    .argument('<cluster>', 'its name in the configuration')
    .argument('<backup>', 'a backup from `salvor backups`, or latest: the newest good one')
    .action(
      action(async (options, cluster, backup) => {
        requireName('cluster', cluster);
        requireBackup(backup);
        const { operate } = await import('../operate.ts');
        return operate(
          options,
          'pin',
          { cluster, backup, pinned },
          `${pinned ? 'Pin' : 'Unpin'} ${backup} of ${cluster}`,
        );
      }),
    );
}
