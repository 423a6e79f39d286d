/** `restore`: its plan alone, the restore itself, and taking over one whose operation is gone. */
import { type Command, Option } from 'commander';
import { checkConfirmation, isApproval, isTime } from '../../domain/input.ts';
import { ON_FAILURE, type OnFailure } from '../../domain/operations/common.ts';
import { type RestoreInput, type Resume, RESUMES } from '../../domain/operations/restore.ts';
import { isSomebodyThere } from '../approval.ts';
import { action, type CommonOptions, SKIP_HASH_CHECK } from '../common.ts';
import { askConfirmation } from '../confirm.ts';
import { requireBackup, requireName } from '../input.ts';
import { UsageError } from '../output.ts';

interface RestoreOptions extends CommonOptions {
  backup: string;
  at?: string;
  store?: string;
  skipHashCheck?: boolean;
  plan?: boolean;
  approve?: string;
  resume?: Resume | true;
  confirm?: string;
  onFailure: OnFailure;
}

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('restore a cluster from a backup; everything written since the backup is lost')
    .argument('<cluster>', 'its name in the configuration')
    .option('--backup <id>', 'a backup from `salvor backups`, or latest: the newest good one', 'latest')
    .option(
      '--at <time>',
      'instead of --backup: the newest good backup taken at or before this time, such as 2026-11-23T06:00:00Z',
    )
    .option('--store <name>', 'read from this store only')
    .option('--skip-hash-check', SKIP_HASH_CHECK)
    .option('--plan', 'show what a restore would do, and touch nothing')
    .option(
      '--approve <digest>',
      'the digest of the plan that you have read, or auto; without it, the restore waits for an approval',
    )
    .addOption(
      new Option(
        '--resume [how]',
        'take over a restore whose operation is lost: forward (the default) or rollback',
      ).choices([...RESUMES]),
    )
    .addOption(
      new Option(
        '--on-failure <what>',
        'what a step does that fails once the cluster is touched: wait for a person, or put everything back',
      )
        .choices([...ON_FAILURE])
        .default('pause'),
    )
    .option('--confirm <cluster>', "repeat the cluster's name; asked for on a terminal")
    .action(
      action<RestoreOptions>(async (options, cluster) => {
        const { backup, at, store, skipHashCheck, plan = false, approve, resume, onFailure } = options;
        requireName('cluster', cluster);
        requireBackup(backup);
        if (store !== undefined) requireName('store', store);
        requireValid('--at', at, isTime);
        requireValid('--approve', approve, isApproval);
        if (at !== undefined && backup !== 'latest')
          throw new UsageError('--backup and --at both choose a backup; give only one');
        const choice = {
          cluster,
          backup,
          ...(at !== undefined && { at }),
          ...(store !== undefined && { store }),
          ...(skipHashCheck && { skipHashCheck }),
        };
        const { operate } = await import('../operate.ts');
        if (plan) return operate(options, 'planRestore', choice, `Plan a restore of ${cluster}`);
        const confirm = await confirmed(cluster, options);
        checkConfirmation(cluster, confirm);
        const input: RestoreInput = {
          ...choice,
          confirm,
          onFailure,
          ...(approve !== undefined && { approve }),
          ...(resume !== undefined && { resume: resume === true ? 'forward' : resume }),
        };
        const { restoreSummary } = await import('../../client/salvor.ts');
        return operate(options, 'restore', input, restoreSummary(input));
      }),
    );
}

function requireValid(option: string, value: string | undefined, check: (value: unknown) => string | undefined): void {
  const problem = value === undefined ? undefined : check(value);
  if (problem !== undefined) throw new UsageError(`${option}: ${problem}; got ${JSON.stringify(value)}`);
}

/** A person who will be asked to approve the plan repeats the name then, with the plan in view. */
async function confirmed(cluster: string, options: RestoreOptions): Promise<string> {
  const { confirm, approve, resume, output } = options;
  if (confirm !== undefined) return confirm;
  const why = `a restore replaces the current state of "${cluster}"`;
  if (!isSomebodyThere(output)) throw new UsageError(`${why}; repeat its name: --confirm ${cluster}`);
  if (approve === undefined && resume === undefined) return cluster;
  const newest = options.backup === 'latest' ? 'its newest good backup' : `the backup ${options.backup}`;
  return await askConfirmation(cluster, {
    output,
    why,
    what: [
      resume === undefined ? `Restore ${cluster} from ${newest}.` : `Take over the unfinished restore of ${cluster}.`,
      'Everything written since then is lost, and its kube-apiservers are down during the restore.',
    ],
  });
}
