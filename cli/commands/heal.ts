/** `heal`. */
import type { Command } from 'commander';
import { action } from '../common.ts';
import { requireBackup, requireName } from '../input.ts';

export function addHeal(program: Command): void {
  program
    .command('heal')
    .description('copy what a store lacks of a backup from a store that has it')
    .argument('<cluster>', 'its name in the configuration')
    .option('--backup <id>', 'only this one, with every copy of it read again; without it, all that lack a copy')
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
