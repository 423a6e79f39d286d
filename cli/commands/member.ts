/** `member list` and `member replace`. */
import type { Command } from 'commander';
import { checkConfirmation } from '../../domain/input.ts';
import { action } from '../common.ts';
import { askConfirmation } from '../confirm.ts';
import { requireName } from '../input.ts';

export function addMember(program: Command): void {
  const member = program
    .command('member')
    .description("look at a cluster's etcd members, and replace an unhealthy one");
  addList(member);
  addReplace(member);
}

function addList(member: Command): void {
  member
    .command('list')
    .description(
      'what each member is: its state, role, version, sizes, revision, lag, alarms and whether its keys agree',
    )
    .argument('<cluster>', 'its name in the configuration')
    .action(
      action(async (options, cluster) => {
        requireName('cluster', cluster);
        const { operate } = await import('../operate.ts');
        return operate(options, 'listMembers', { cluster });
      }),
    );
}

function addReplace(member: Command): void {
  member
    .command('replace')
    .description('take an unhealthy member out and put a fresh one in its place; the others go on meanwhile')
    .argument('<cluster>', 'its name in the configuration')
    .argument('[node]', 'the node that is to get it; without it, that of the one unhealthy member')
    .option('--healthy', 'replace the named member although nothing is wrong with it')
    .option('--confirm <cluster>', "the cluster's name once more; asked for on a terminal")
    .action(
      action<{ confirm?: string; healthy?: boolean }>(async (options, cluster, node?: string) => {
        const { output, healthy } = options;
        requireName('cluster', cluster);
        if (node !== undefined) requireName('node', node);
        const which = node === undefined ? 'its unhealthy member' : `the member on ${node}`;
        const confirm =
          options.confirm ??
          (await askConfirmation(cluster, {
            output,
            why: `a member and its data are taken out of "${cluster}"`,
            what: [
              `Replace ${which} of ${cluster}.`,
              'Its data is moved aside, and it gets the others’ over the network.',
            ],
          }));
        checkConfirmation(cluster, confirm);
        const input = { cluster, confirm, ...(node !== undefined && { node }), ...(healthy && { healthy }) };
        const { operate } = await import('../operate.ts');
        return operate(options, 'replaceMember', input, `Replace ${which} of ${cluster}`);
      }),
    );
}
