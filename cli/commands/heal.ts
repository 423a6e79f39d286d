/** `heal`. */
import type { Command } from 'commander';
import { action } from '../common.ts';
import { requireBackup, requireName } from '../input.ts';

export function addHeal(program: Command): void {
  program
    .command('heal')
    .description('copy missing parts of backups from a store that has them')
    .argument('<cluster>', 'its name in the configuration')
    .option(
      '--backup <id>',
      'heal only this backup, and read every copy of it again; default: every backup with a missing copy',
    )
    .action(
      action<{ backup?: string }>(async (options, cluster) => {
        const { backup } = options;
        requireName('cluster', cluster);
        if (backup !== undefined) requireBackup(backup);
        const { operate } = await import('../operate.ts');
        return operate(options, 'heal', { cluster, ...(backup !== undefined && { backup }) }, `Heal ${cluster}`);
      }),
    );
}
