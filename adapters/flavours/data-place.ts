/** Whether a member keeps its data where the configuration says, all of it: what is put elsewhere would never be read. */
import { dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData } from '../../domain/node-paths.ts';
import { etcdFlags } from './etcd-manifest.ts';
import { findEtcdManifest } from './kubeadm.ts';
import type { Host } from '../hosts/host.ts';

/** @throws SalvorError `UnsafeState` when the static pod of etcd names another data directory, and when etcd's log lies outside of it */
export async function refuseOtherPlace(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir } = node.etcd;
  if (cluster.flavour !== 'kubeadm') {
    if (await lacksLog(dataDir, host, signal)) throw logElsewhere(node, `${memberData(dataDir)} has no "wal"`);
    return;
  }
  const manifest = await findEtcdManifest(host, signal);
  if (manifest === undefined) return;
  const flags = etcdFlags(manifest.text, `${node.name}: ${manifest.path}`);
  if (flags.has('--wal-dir')) throw logElsewhere(node, `${manifest.path} sets --wal-dir`);
  const itsDataDir = flags.get('--data-dir');
  if (itsDataDir === undefined || itsDataDir === dataDir) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: etcd's data directory is ${itsDataDir}, as its manifest says, and ${dataDir} in the configuration; correct "dataDir" of the node`,
  );
}

/** With `--wal-dir` (an option of etcd) there is a database below the data directory, and no log. */
async function lacksLog(dataDir: string, host: Host, signal: AbortSignal): Promise<boolean> {
  const [snap, wal] = await Promise.all(
    ['snap', 'wal'].map(async (part) => await host.typeOf(join(memberData(dataDir), part), signal)),
  );
  return snap !== undefined && wal === undefined;
}

function logElsewhere(node: ClusterNode, seen: string): SalvorError {
  const data = memberData(node.etcd.dataDir);
  return new SalvorError(
    'UnsafeState',
    `${node.name}: ${seen}: etcd keeps its log outside its data directory, and would read the old log with the new data. Stop etcd, move the log to ${data}/wal and start etcd without --wal-dir; where the log is lost, move ${data} away`,
  );
}

/** Free where the data directory is, or is going to be: it may have been destroyed. */
export async function freeBytesFor(node: ClusterNode, host: Host, signal: AbortSignal): Promise<number> {
  let directory = node.etcd.dataDir;
  while ((await host.typeOf(directory, signal)) !== 'directory' && directory !== dirname(directory))
    directory = dirname(directory);
  return await host.freeBytes(directory, signal);
}
