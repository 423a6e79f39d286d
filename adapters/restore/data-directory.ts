/** The data directory of a member: the new one is staged beside the old one and swapped in by two renames. */
import { basename, dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/manifest.ts';
import { restorePaths } from '../../domain/plan.ts';
import type { SnapshotSource } from '../../domain/snapshot-source.ts';
import { fetchSnapshot } from '../drill/fetch-snapshot.ts';
import { restoreSnapshot } from '../etcd/etcdutl.ts';
import { etcdutlOn } from '../etcd/find-etcdutl.ts';
import { lacksHash } from '../etcd/integrity.ts';
import type { Host } from '../hosts/host.ts';

export interface StagingOrder {
  operationId: string;
  source: SnapshotSource;
  /** Of the bytes that passed the trial: every member starts from these and no others. */
  content: Digest;
  /** Null when a node's tool can't raise the revision: then no node's does, since all members start from the same data. */
  bumpRevision: string | null;
  clusterToken: string;
}

/**
 * Restores the snapshot into a directory beside the member's data directory, while the cluster still runs. A directory under its final
 * name was completely written; one left half-done by a killed attempt is made anew.
 */
export async function stageDataDirectory(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  order: StagingOrder,
  signal: AbortSignal,
) {
  const { scratch, staged } = restorePaths(node.etcd.dataDir, order.operationId);
  await removeAbandonedStaging(node, host, order.operationId, signal);
  if ((await host.typeOf(staged, signal)) === 'directory') return { staged, changed: false };
  await host.removeScratch(scratch, signal);
  await host.makeDirectory(scratch, { mode: 0o700, signal });
  const file = join(scratch, 'snapshot.db');
  const dataDir = join(scratch, 'data');
  await fetchSnapshot(
    cluster,
    { ...order.source },
    async (body) => {
      const written = await host.write(file, body, { mode: 0o600, signal });
      if (written.sha256 === order.content.sha256) return written;
      throw new SalvorError(
        'BackupCorrupt',
        `${node.name} was sent other bytes than those that passed the trial: SHA-256 ${written.sha256}, expected ${order.content.sha256}`,
      );
    },
    signal,
  );
  await restoreSnapshot(
    host,
    (await etcdutlOn(node, host, signal, order.source.etcd?.version)).path,
    {
      file,
      dataDir,
      memberName: node.etcd.memberName,
      peerUrl: node.etcd.peerUrl,
      clusterToken: order.clusterToken,
      initialCluster: cluster.nodes.map(({ etcd }) => ({ name: etcd.memberName, peerUrl: etcd.peerUrl })),
      // It passed the trial in the same way.
      skipHashCheck: order.source.skipHashCheck === true && lacksHash(order.content.bytes),
      ...(order.bumpRevision !== null && { bumpRevision: order.bumpRevision, markCompacted: true }),
    },
    signal,
  );
  await ownedLike(host, node.etcd.dataDir, dataDir, signal);
  await host.rename(dataDir, staged, signal);
  await host.removeScratch(scratch, signal);
  return { staged, changed: true };
}

/** What a terminated restore staged and never used. The cluster is held by this one, and no node has a journal: nobody will come back for it. */
async function removeAbandonedStaging(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir } = node.etcd;
  const own = Object.values(restorePaths(dataDir, operationId));
  for (const { name } of await host.list(dirname(dataDir), signal)) {
    const path = join(dirname(dataDir), name);
    const isStaging = /^\.salvor-(?:scratch|staged)-\d{8}-\d{6}$/.test(name.slice(basename(dataDir).length));
    if (name.startsWith(basename(dataDir)) && isStaging && !own.includes(path)) await host.removeScratch(path, signal);
  }
}

/** Whether the restore's new data directory still waits beside the old one. */
export async function isStaged(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<boolean> {
  return (await host.typeOf(restorePaths(node.etcd.dataDir, operationId).staged, signal)) !== undefined;
}

/** Takes back what was staged for a restore that ended before anything was swapped. */
export async function unstageDataDirectory(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const { scratch, staged } = restorePaths(node.etcd.dataDir, operationId);
  await host.removeScratch(scratch, signal);
  await host.removeScratch(staged, signal);
}

/** etcd may run as a user of its own: the new directory belongs to whom the old one did. */
async function ownedLike(host: Host, old: string, fresh: string, signal: AbortSignal): Promise<void> {
  if ((await host.typeOf(old, signal)) === undefined) return;
  const { exitCode, stderr } = await host.run(['chown', '-R', `--reference=${old}`, fresh], { signal });
  if (exitCode !== 0)
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: ${fresh} could not be given the owner of ${old}: ${stderr.trim()}`,
    );
}

/**
 * Moves the old data directory aside and the staged one in its place. Run again at any point, it goes on from what it finds.
 * @returns where the old one lies now; null when the member had none
 */
export async function swapDataDirectory(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const { dataDir } = node.etcd;
  const { staged, setAside } = restorePaths(dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  if (await isThere(staged)) {
    if ((await isThere(dataDir)) && (await isThere(setAside))) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${dataDir} is there although it was already moved to ${setAside}; something else made it anew. Move it away and retry`,
      );
    }
    if (await isThere(dataDir)) await host.rename(dataDir, setAside, signal);
    await host.rename(staged, dataDir, signal);
  }
  if (!(await isThere(dataDir))) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: neither ${staged} nor ${dataDir} is there; was it moved by hand?`,
    );
  }
  return { setAside: (await isThere(setAside)) ? setAside : null };
}

/**
 * Undoes a swap: the restored directory is moved away, never removed, and the old one put back. Before a swap it takes back what was staged.
 * Run again at any point, it goes on from what it finds.
 * @param before whether the member had a data directory when the restore began
 * @returns where the restored directory lies now; null when none was in place
 */
export async function putBackDataDirectory(
  node: ClusterNode,
  host: Host,
  operationId: string,
  before: 'present' | 'missing',
  signal: AbortSignal,
) {
  const { dataDir } = node.etcd;
  const { staged, setAside, abandoned } = restorePaths(dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  const wasSwapped = !(await isThere(staged));
  const oldIsAside = await isThere(setAside);
  // Of a member that had none, whatever lies there after the swap is the restored one.
  const isRestored = wasSwapped && (oldIsAside || before === 'missing');
  if (isRestored && (await isThere(dataDir)) && !(await isThere(abandoned)))
    await host.rename(dataDir, abandoned, signal);
  if (oldIsAside) await host.rename(setAside, dataDir, signal);
  await unstageDataDirectory(node, host, operationId, signal);
  if (before === 'present' && !(await isThere(dataDir))) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: the old data directory is neither ${dataDir} nor ${setAside}; was it moved by hand?`,
    );
  }
  return { abandoned: (await isThere(abandoned)) ? abandoned : null };
}
