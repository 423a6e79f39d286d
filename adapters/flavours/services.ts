/** A node whose components run under systemd, as containers, or by a team's own commands. */
import { basename, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { withInitialCluster } from '../../domain/members/initial-cluster.ts';
import { memberData } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';
import { runOn } from '../hosts/run-on.ts';
import { logElsewhere } from './data-place.ts';
import type { FlavourNode, MemberConfiguring } from './flavour.ts';
import { servicesControlPlane } from './services/commands.ts';
import { lookAtProcesses } from './services/processes.ts';

export function servicesNode(_cluster: Cluster, node: ClusterNode, host: Host): FlavourNode {
  const controlPlane = () => servicesControlPlane(node, host);
  return {
    controlPlane,
    refuseOtherPlace: async (signal) => await refuseOtherPlace(node, host, signal),
    member: configuring(node, host),
    lookAtEtcd: async (signal) => await lookAtProcesses(controlPlane().etcd, node, host, signal),
    logCommand: () => logCommand(node),
    readSettling: async () => ({ installedAt: null, lastChange: null }),
    furtherStaticPaths: async () => [],
    readApiServerFlags: async () => null,
  };
}

/** With `--wal-dir` (an option of etcd) the data directory has a database but no log. */
async function refuseOtherPlace(node: ClusterNode, host: Host, signal: AbortSignal): Promise<void> {
  const data = memberData(node.etcd.dataDir);
  const [snap, wal] = await Promise.all(
    ['snap', 'wal'].map(async (part) => await host.typeOf(join(data, part), signal)),
  );
  if (snap !== undefined && wal === undefined) throw logElsewhere(node, `${data} has no "wal"`);
}

function logCommand({ etcd }: ClusterNode): [string, ...string[]] | undefined {
  const [command = '', , name = ''] = etcd.service?.start ?? [];
  if (basename(command) === 'systemctl')
    return ['journalctl', '--unit', name, '--lines', '2', '--output', 'cat', '--no-pager'];
  if (basename(command) === 'docker') return ['docker', 'logs', '--tail', '2', name];
  return undefined;
}

function configuring(node: ClusterNode, host: Host): MemberConfiguring {
  const { configuration: path, service } = node.etcd;
  return {
    async find(signal) {
      if (path === undefined) {
        throw new SalvorError(
          'InvalidConfiguration',
          `${node.name}: the configuration doesn't say which file holds etcd's initial cluster, which a joining member must be started with; set etcd.configuration of the node to that file (a unit, an environment file, etcd's own file or a script)`,
        );
      }
      const text = await host.readText(path, signal);
      if (text !== undefined) return { path, text };
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${path} does not exist, but etcd.configuration of the node names it`,
      );
    },
    joiningText: (file, initialCluster) =>
      withInitialCluster(file.text, { cluster: initialCluster, state: 'existing' }, `${node.name}: ${file.path}`),
    keptBeside: (file) => file.path,
    replacedFiles: () => (path === undefined ? [] : [path]),
    check: async () => [],
    async finish(_operationId, signal) {
      if (basename(service?.start[0] ?? '') === 'systemctl') await runOn(host, ['systemctl', 'daemon-reload'], signal);
      return [];
    },
  };
}
