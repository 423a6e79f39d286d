/** Checks, before anything on a node is touched, whether it is fit for a restore. */
import { dirname } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { RestoreRun } from '../../domain/restore/journal.ts';
import { memberData } from '../../domain/node-paths.ts';
import { flavourNode } from '../flavours/index.ts';
import { etcdutlOn } from '../snapshots/find-etcdutl.ts';
import type { Host } from '../hosts/host.ts';
import { freeBytesFor } from './free-bytes.ts';
import { refuseUnfinished, requireOwnJournal } from './journal.ts';
import { requireNewData } from './new-data.ts';

/**
 * Looks at what a restore needs on a node: the tool, room in the data directory, and how its components are doing.
 * @param needed the room, the version of the etcd whose snapshot is restored, and the restore that has staged its data
 * @throws SalvorError `ToolMissing`, `NoSpace`, `UnsafeState` or `CommandFailed`, naming the node and what is missing
 */
export async function checkNode(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  needed: { bytes: number; etcdVersion?: string; staged?: RestoreRun },
  signal: AbortSignal,
) {
  const { dataDir } = node.etcd;
  const parent = dirname(dataDir);
  if ((await host.typeOf(parent, signal)) !== 'directory') {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${parent} is not a directory, so ${dataDir} can't be the data directory of etcd; check "dataDir"`,
    );
  }
  await refuseUnfinished(cluster.name, node, host, signal, needed.staged);
  if (needed.staged) {
    await requireOwnJournal(node, host, needed.staged, signal);
    await requireNewData(node, host, needed.staged.operationId, signal);
  }
  const flavour = flavourNode(cluster, node, host);
  await flavour.refuseOtherPlace(signal);
  await refuseMountPoint(node, host, signal);
  const tool = await etcdutlOn(node, host, signal, needed.etcdVersion);
  const freeBytes = await freeBytesFor(node, host, signal);
  if (freeBytes < needed.bytes) {
    throw new SalvorError(
      'NoSpace',
      `${node.name}: ${dataDir} has ${freeBytes} bytes free, but the restore needs ${needed.bytes}, because the old data is kept; make room`,
    );
  }
  const { etcd, apiServer } = flavour.controlPlane();
  return {
    etcd: await etcd.status(signal),
    apiServer: apiServer === undefined ? null : await apiServer.status(signal),
    dataDir:
      (await host.typeOf(memberData(dataDir), signal)) === undefined ? ('missing' as const) : ('present' as const),
    freeBytes,
    etcdutl: `${tool.name} ${tool.version} (${tool.path}: ${tool.source})`,
    /** Whether its tool can't raise the revision. */
    leavesRevision: !tool.raisesRevision,
  };
}

/** A mount point can't be renamed. If the data directory itself is one, nothing needs to be done. */
async function refuseMountPoint(node: ClusterNode, host: Host, signal: AbortSignal): Promise<void> {
  const data = memberData(node.etcd.dataDir);
  if ((await host.typeOf(data, signal)) === undefined) return;
  const { exitCode } = await host.run(['mountpoint', '-q', data], { signal });
  if (exitCode !== 0) return;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: ${data} is a mount point, which can't be moved aside; mount it at ${node.etcd.dataDir}, with its contents in a directory named member`,
  );
}
