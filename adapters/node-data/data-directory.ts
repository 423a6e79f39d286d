/**
 * The data of a member, in its data directory: the new data is staged next to the old and swapped in by two renames.
 */
import { basename, dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import { cannotRaiseRevision } from '../../domain/restore/revision.ts';
import { memberData, restorePaths } from '../../domain/node-paths.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import { fetchSnapshot } from '../snapshots/fetch-snapshot.ts';
import { restoreSnapshot } from '../snapshots/etcdutl.ts';
import { etcdutlOn } from '../snapshots/find-etcdutl.ts';
import { lacksHash } from '../snapshots/integrity.ts';
import type { Host } from '../hosts/host.ts';

export interface StagingOrder {
  operationId: string;
  source: SnapshotSource;
  /** The digest of the bytes that passed the trial: every member starts from exactly these. */
  content: Digest;
  /**
   * Null when a node's tool can't raise the revision: then it is raised on no node, since all members start from the
   * same data.
   */
  bumpRevision: string | null;
  clusterToken: string;
}

/**
 * Restores the snapshot into a directory next to the member's data, while the cluster still runs. A directory under its
 * final name is complete; one that a killed attempt left unfinished is made again.
 */
export async function stageDataDirectory(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  order: StagingOrder,
  signal: AbortSignal,
) {
  const { scratch, staged } = restorePaths(node.etcd.dataDir, order.operationId);
  await makeDataDirectory(node, host, signal);
  await removeAbandonedStaging(node, host, order.operationId, signal);
  if ((await host.typeOf(staged, signal)) === 'directory') return { staged, changed: false };
  await host.removeOwn(scratch, signal);
  await host.makeDirectory(scratch, { mode: 0o700, signal });
  const file = join(scratch, 'snapshot.db');
  const fresh = join(scratch, 'data');
  await fetchSnapshot(
    cluster,
    { ...order.source },
    async (body) => {
      const written = await host.write(file, body, { mode: 0o600, signal });
      if (written.sha256 === order.content.sha256) return written;
      throw new SalvorError(
        'BackupCorrupt',
        `${node.name} received different bytes than those that passed the trial: SHA-256 ${written.sha256}, expected ${order.content.sha256}`,
      );
    },
    signal,
  );
  const tool = await etcdutlOn(node, host, signal, order.source.etcd?.version);
  if (order.bumpRevision !== null && !tool.raisesRevision) {
    throw new SalvorError(
      'ToolMissing',
      `${node.name}: ${cannotRaiseRevision(`${tool.name} ${tool.version} (${tool.path})`)}. The node had another tool when the plan was made`,
    );
  }
  await restoreSnapshot(
    host,
    tool.path,
    {
      file,
      dataDir: fresh,
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
  await ownedLikeOld(node, host, memberData(fresh), signal);
  await host.rename(memberData(fresh), staged, signal);
  await host.removeOwn(scratch, signal);
  return { staged, changed: true };
}

/**
 * Removes data that a terminated restore staged and never used. This restore holds the cluster, and no node has a
 * journal: nobody will need it again.
 */
async function removeAbandonedStaging(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { dataDir } = node.etcd;
  const own = Object.values(restorePaths(dataDir, operationId));
  const data = basename(memberData(dataDir));
  for (const { name } of await host.list(dataDir, signal)) {
    const path = join(dataDir, name);
    const isStaging = /^\.salvor-(?:scratch|staged)-\d{8}-\d{6}$/.test(name.slice(data.length));
    if (name.startsWith(data) && isStaging && !own.includes(path)) await host.removeOwn(path, signal);
  }
}

/** Whether the restore's new data is still staged next to the old. */
export async function isStaged(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<boolean> {
  return (await host.typeOf(restorePaths(node.etcd.dataDir, operationId).staged, signal)) !== undefined;
}

/** Removes the staged data of a restore that ended before anything was swapped. */
export async function unstageDataDirectory(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const { scratch, staged } = restorePaths(node.etcd.dataDir, operationId);
  await host.removeOwn(scratch, signal);
  await host.removeOwn(staged, signal);
}

/**
 * Whose owner the new data gets if the old is lost. etcd may run as its own user: the directory above then belongs to
 * that user, or to root if etcd runs as root.
 */
export async function makeDataDirectory(node: ClusterNode, host: Host, signal: AbortSignal): Promise<void> {
  const { dataDir } = node.etcd;
  if ((await host.typeOf(dataDir, signal)) !== undefined) return;
  const fresh = `${dataDir}.salvor-new`;
  await host.makeDirectory(fresh, { mode: 0o700, signal });
  await ownedLike(host, dirname(dataDir), fresh, signal);
  await host.rename(fresh, dataDir, signal);
}

/** The new data gets the owner of the old data or, if that is lost, the owner of its directory. */
async function ownedLikeOld(node: ClusterNode, host: Host, fresh: string, signal: AbortSignal): Promise<void> {
  const { dataDir } = node.etcd;
  const data = memberData(dataDir);
  await ownedLike(host, (await host.typeOf(data, signal)) === undefined ? dataDir : data, fresh, signal);
}

async function ownedLike(host: Host, old: string, fresh: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await host.run(['chown', '-R', `--reference=${old}`, fresh], { signal });
  if (exitCode !== 0)
    throw new SalvorError(
      'CommandFailed',
      `${host.name}: ${fresh} could not be given the owner of ${old}: ${stderr.trim()}`,
    );
}

/**
 * Moves the old data aside and the staged data into its place. Run again at any point, it continues from what it finds.
 * @returns the path of the old data now; null when the member had none
 */
export async function swapDataDirectory(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const data = memberData(node.etcd.dataDir);
  const { staged, setAside } = restorePaths(node.etcd.dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  if (await isThere(staged)) {
    if ((await isThere(data)) && (await isThere(setAside))) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${data} exists although it was already moved to ${setAside}; something else has made it again. Move it away and retry`,
      );
    }
    if (await isThere(data)) await host.rename(data, setAside, signal);
    await host.rename(staged, data, signal);
  }
  if (!(await isThere(data))) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: neither ${staged} nor ${data} exists; check whether the data was moved by hand`,
    );
  }
  return { setAside: (await isThere(setAside)) ? setAside : null };
}

/**
 * Undoes a swap: the restored data is moved away, never removed, and the old data put back. Before a swap it removes
 * the staged data. Run again at any point, it continues from what it finds.
 * @param before whether the member had data when the restore began
 * @returns the path of the restored data now; null when none was in place
 */
export async function putBackDataDirectory(
  node: ClusterNode,
  host: Host,
  operationId: string,
  before: 'present' | 'missing',
  signal: AbortSignal,
) {
  const data = memberData(node.etcd.dataDir);
  const { staged, setAside, abandoned } = restorePaths(node.etcd.dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  const wasSwapped = !(await isThere(staged));
  const oldIsAside = await isThere(setAside);
  // If a member had no data, any data there after the swap is the restored data.
  const isRestored = wasSwapped && (oldIsAside || before === 'missing');
  if (isRestored && (await isThere(data)) && !(await isThere(abandoned))) await host.rename(data, abandoned, signal);
  if (oldIsAside) await host.rename(setAside, data, signal);
  await unstageDataDirectory(node, host, operationId, signal);
  if (before === 'present' && !(await isThere(data))) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: the old data is neither at ${data} nor at ${setAside}; check whether it was moved by hand`,
    );
  }
  return { abandoned: (await isThere(abandoned)) ? abandoned : null };
}
