/**
 * Does on every node of some clusters what operations do there, in its own process, because its PATH decides what `ssh`
 * is.
 *   node test/support/act-on-nodes.ts <file with a JSON list of configurations>
 * On standard output, one JSON line for each node and act: the error of the refusal, if any.
 */
import { readFile } from 'node:fs/promises';
import { findStaticResources } from '../../adapters/backup/static-resources.ts';
import { flavourNode } from '../../adapters/flavours/index.ts';
import { servicesControlPlane } from '../../adapters/flavours/services/commands.ts';
import { restoreSnapshot } from '../../adapters/snapshots/etcdutl.ts';
import { hostFor } from '../../adapters/hosts/find.ts';
import type { Host } from '../../adapters/hosts/host.ts';
import { configureMember } from '../../adapters/flavours/member-configuration.ts';
import { checkNode } from '../../adapters/node-data/check-node.ts';
import { unstageDataDirectory } from '../../adapters/node-data/data-directory.ts';
import { swapDataDirectory } from '../../adapters/node-data/swap.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { type Cluster, parseConfiguration, resolveCluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';

const OPERATION = '20261128-000000';
const RUN = { operationId: OPERATION, workflowId: 'restore/c', runId: 'r' };
const ACT_MS = 5_000;

function actsOn(cluster: Cluster, node: ClusterNode, host: Host): Record<string, () => Promise<unknown>> {
  const signal = AbortSignal.timeout(60_000);
  const { etcd, apiServer } = servicesControlPlane(node, host);
  const components = [etcd, ...(apiServer ? [apiServer] : [])];
  const { dataDir, memberName, peerUrl } = node.etcd;
  const order = {
    file: `${dataDir}.snapshot`,
    dataDir: `${dataDir}/member.salvor-staged-${OPERATION}`,
    memberName,
    peerUrl,
    initialCluster: cluster.nodes.map((each) => ({ name: each.etcd.memberName, peerUrl: each.etcd.peerUrl })),
    clusterToken: `salvor-${cluster.name}-${OPERATION}`,
  };
  return {
    ...Object.fromEntries(
      components.flatMap((component) => [
        [`status of ${component.name}`, () => component.status(signal)],
        [`start ${component.name}`, () => component.start(signal, ACT_MS)],
        [`stop ${component.name}`, () => component.stop(signal, ACT_MS)],
      ]),
    ),
    'check the node': () => checkNode(cluster, node, host, { bytes: 1 }, signal),
    'find static resources': () => findStaticResources(cluster, node, host, signal),
    'restore a snapshot': () => restoreSnapshot(host, 'etcdutl', order, signal),
    'swap the data directory': () => swapDataDirectory(node, host, OPERATION, signal),
    'configure a member that joins': () =>
      configureMember(
        flavourNode(cluster, node, host),
        host,
        { initialCluster: 'm1=https://h:1', operationId: OPERATION },
        signal,
      ),
    unstage: () => unstageDataDirectory(node, host, RUN, signal),
  };
}

const [file = ''] = process.argv.slice(2);
const configurations = JSON.parse(await readFile(file, 'utf8')) as unknown[];
for (const value of configurations) {
  const configuration = parseConfiguration(value, file);
  for (const name of Object.keys(configuration.clusters)) {
    const cluster = resolveCluster(configuration, name);
    // The same is done on the others, so once is enough.
    for (const node of value === configurations[0] ? cluster.nodes : cluster.nodes.slice(0, 1)) {
      for (const [act, work] of Object.entries(actsOn(cluster, node, hostFor(node)))) {
        let refused: string | undefined;
        try {
          await work();
        } catch (error) {
          if (!(error instanceof SalvorError)) throw error;
          refused = `${error.type}: ${error.message}`;
        }
        process.stdout.write(`${JSON.stringify({ node: node.name, act, refused })}\n`);
      }
    }
  }
}
