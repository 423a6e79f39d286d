/** `restore`. */
import { type Command, Option } from 'commander';
import { checkConfirmation } from '../../../domain/input.ts';
import { ON_FAILURE, type OnFailure } from '../../../domain/operations.ts';
import { action, type CommonOptions } from '../common.ts';
import { askConfirmation } from '../confirm.ts';
import { requireBackup, requireName } from '../input.ts';

interface RestoreOptions extends CommonOptions {
  backup: string;
  store?: string;
  confirm?: string;
  onFailure: OnFailure;
}

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('put a cluster back to a backup; everything written since then is lost')
    .argument('<cluster>', 'its name in the configuration')
    .option('--backup <id>', 'a backup of `salvor backups`, or latest: the newest good one', 'latest')
    .option('--store <name>', 'read from this store only')
    .addOption(
      new Option(
        '--on-failure <what>',
        'of a step that fails once the cluster is touched: wait for a person, or put all back',
      )
        .choices([...ON_FAILURE])
        .default('pause'),
    )
    .option('--confirm <cluster>', "the cluster's name once more; asked for on a terminal")
    .action(
      action<RestoreOptions>(async (options, cluster) => {
        const { backup, store, onFailure } = options;
        requireName('cluster', cluster);
        requireBackup(backup);
        if (store !== undefined) requireName('store', store);
        const what = backup === 'latest' ? 'its newest good backup' : `the backup ${backup}`;
        const confirm =
          options.confirm ??
          (await askConfirmation(cluster, {
            output: options.output,
            why: `a restore replaces the present state of "${cluster}"`,
            what: [
              `Restore ${cluster} from ${what}.`,
              'Everything written to it since then is lost, and its kube-apiservers stop meanwhile.',
            ],
          }));
        checkConfirmation(cluster, confirm);
        const input = { cluster, confirm, backup, onFailure, ...(store !== undefined && { store }) };
        const { operate } = await import('../operate.ts');
        return operate(options, 'restore', input, `Restore ${cluster} from ${backup}`);
      }),
    );
}
