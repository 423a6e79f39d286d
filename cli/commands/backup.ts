/** `backup` and `backups`. */
import type { Command } from 'commander';
import { action } from '../common.ts';
import { BACKUP_OVERRIDES } from '../../domain/backups/settled.ts';
import { withOlderPages } from '../../client/older-pages.ts';
import { requireName, requireOverride } from '../input.ts';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('take a backup of a cluster now')
    .argument('<cluster>', 'its name in the configuration')
    .option(
      '--override <name>',
      `a check to skip: ${BACKUP_OVERRIDES.join(', ')}; repeatable`,
      (name: string, names: string[] | undefined) => [...(names ?? []), name],
    )
    .action(
      action<{ override?: string[] }>(async (options, cluster) => {
        requireName('cluster', cluster);
        const override = options.override?.map(requireOverride);
        const { operate } = await import('../operate.ts');
        const input = { cluster, ...(override && { override }) };
        return operate(options, 'backup', input, `Back up ${cluster}`);
      }),
    );
}

export function addBackups(program: Command): void {
  program
    .command('backups')
    .description("list a cluster's backups, newest first")
    .argument('<cluster>', 'its name in the configuration')
    .option('--store <name>', 'only backups in this store')
    .action(
      action<{ store?: string }>(async (options, cluster) => {
        const { store } = options;
        requireName('cluster', cluster);
        if (store !== undefined) requireName('store', store);
        const { operate } = await import('../operate.ts');
        const input = { cluster, ...(store !== undefined && { store }) };
        return operate(options, 'listBackups', input, undefined, (client, page, leave) =>
          withOlderPages(client, input, page, leave),
        );
      }),
    );
}
