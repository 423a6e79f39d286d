/** `member list` and `member replace`. */
import type { Command } from 'commander';
import { checkConfirmation } from '../../domain/input.ts';
import { action } from '../common.ts';
import { askConfirmation } from '../confirm.ts';
import { requireName } from '../input.ts';

export function addMember(program: Command): void {
  const member = program.command('member').description("list a cluster's etcd members, and replace an unhealthy one");
  addList(member);
  addReplace(member);
}

function addList(member: Command): void {
  member
    .command('list')
    .description("list each member's state, role, version, sizes, revision, lag and alarms, and whether its keys agree")
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
    .description('replace an unhealthy member with a fresh one while the others keep running')
    .argument('<cluster>', 'its name in the configuration')
    .argument('[node]', 'the node of the member; default: the only unhealthy member')
    .option('--healthy', 'replace the named member even if it is healthy')
    .option('--confirm <cluster>', "repeat the cluster's name; asked for on a terminal")
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
            why: `this takes a member and its data out of "${cluster}"`,
            what: [
              `Replace ${which} of ${cluster}.`,
              'Its data is set aside, and it receives the data of the others over the network.',
            ],
          }));
        checkConfirmation(cluster, confirm);
        const input = { cluster, confirm, ...(node !== undefined && { node }), ...(healthy && { healthy }) };
        const { operate } = await import('../operate.ts');
        return operate(options, 'replaceMember', input, `Replace ${which} of ${cluster}`);
      }),
    );
}
