/** `verify`. */
import type { Command } from 'commander';

import { action, type CommonOptions, SKIP_HASH_CHECK } from '../common.ts';
import { requireDrillWish, requireName } from '../input.ts';

interface VerifyOptions extends CommonOptions {
  backup?: string;
  store?: string;
  skipHashCheck?: boolean;
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description(
      'prove a backup: read every copy, restore it into a scratch etcd and compare; the cluster is not touched',
    )
    .argument('<cluster>', 'its name in the configuration')
    .option(
      '--backup <id>',
      'a backup from `salvor backups`, latest, or oldest-proof (the one whose last drill is the oldest). Default: latest until it is proven, then oldest-proof',
    )
    .option('--store <name>', 'read from this store only')
    .option('--skip-hash-check', SKIP_HASH_CHECK)
    .action(
      action<VerifyOptions>(async (options, cluster) => {
        const { backup, store, skipHashCheck } = options;
        requireName('cluster', cluster);
        if (backup !== undefined) requireDrillWish(backup);
        if (store !== undefined) requireName('store', store);
        const input = {
          cluster,
          ...(backup !== undefined && { backup }),
          ...(store !== undefined && { store }),
          ...(skipHashCheck && { skipHashCheck }),
        };
        const { operate } = await import('../operate.ts');
        return operate(options, 'verify', input, `Verify ${backup === undefined ? 'a backup' : backup} of ${cluster}`);
      }),
    );
}
