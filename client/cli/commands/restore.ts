/** `restore`. */
import { type Command, Option } from 'commander';
import { SalvorError } from '../../../domain/errors.ts';
import { checkConfirmation } from '../../../domain/input.ts';
import { ON_FAILURE, type OnFailure } from '../../../domain/operations.ts';
import { action, type CommonOptions } from '../common.ts';
import { requireBackup, requireName } from '../input.ts';
import { note, UsageError } from '../output.ts';

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
        const confirm = options.confirm ?? (await askConfirmation(cluster, options));
        checkConfirmation(cluster, confirm);
        const input = { cluster, confirm, backup, onFailure, ...(store !== undefined && { store }) };
        const { operate } = await import('../operate.ts');
        return operate(options, 'restore', input, `Restore ${cluster} from ${backup}`);
      }),
    );
}

async function askConfirmation(cluster: string, { backup, output }: RestoreOptions): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY || output === 'json') {
    throw new UsageError(`a restore replaces the present state of "${cluster}"; repeat its name: --confirm ${cluster}`);
  }
  const { input } = await import('@inquirer/prompts');
  const what = backup === 'latest' ? 'its newest good backup' : `the backup ${backup}`;
  note(`Restore ${cluster} from ${what}.`);
  note('Everything written to it since then is lost, and its kube-apiservers stop meanwhile.');
  try {
    return await input(
      {
        message: "Type the cluster's name to go on:",
        validate: (typed) => typed === cluster || `that is not "${cluster}"; Ctrl-C leaves without a change`,
      },
      { output: process.stderr },
    );
  } catch (error) {
    throw new SalvorError('ConfirmationMismatch', 'not confirmed; nothing was started', { cause: error });
  }
}
