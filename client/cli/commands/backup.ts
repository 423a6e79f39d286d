/** `backup` and `backups`. */
import type { Command } from 'commander';
import { action } from '../common.ts';
import { requireName } from '../input.ts';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('take a backup of a cluster now')
    .argument('<cluster>', 'its name in the configuration')
    .action(
      action(async (options, cluster) => {
        requireName('cluster', cluster);
        const { operate } = await import('../operate.ts');
        return operate(options, 'backup', { cluster }, `Back up ${cluster}`);
      }),
    );
}

export function addBackups(program: Command): void {
  program
    .command('backups')
    .description("list a cluster's backups, newest first")
    .argument('<cluster>', 'its name in the configuration')
    .option('--store <name>', 'only what this store holds')
    .action(
      action<{ store?: string }>(async (options, cluster) => {
        const { store } = options;
        requireName('cluster', cluster);
        if (store !== undefined) requireName('store', store);
        const { operate } = await import('../operate.ts');
        return operate(options, 'listBackups', { cluster, ...(store !== undefined && { store }) });
      }),
    );
}
