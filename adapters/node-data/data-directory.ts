/** The new data of a member, staged beside the old while the cluster runs; `swap.ts` puts it in its place. */
import { dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import { isSameRun, type RestoreRun } from '../../domain/restore/journal.ts';
import { cannotRaiseRevision } from '../../domain/restore/revision.ts';
import { memberData, restorePaths } from '../../domain/node-paths.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import { fetchSnapshot } from '../snapshots/fetch-snapshot.ts';
import { restoreSnapshot } from '../snapshots/etcdutl.ts';
import { etcdutlOn } from '../snapshots/find-etcdutl.ts';
import { lacksHash } from '../snapshots/integrity.ts';
import type { Host } from '../hosts/host.ts';
import { closeJournal, isOwnJournal, readJournal, requireOwnJournal } from './journal.ts';
import { removeAbandonedStaging } from './staging-of-others.ts';

const CLEAN_UP_MS = 30_000;

export interface StagingOrder extends RestoreRun {
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
  await requireOwnJournal(node, host, order, signal);
  await makeDataDirectory(node, host, signal);
  await removeAbandonedStaging(node, host, order.operationId, signal);
  if ((await host.typeOf(staged, signal)) === 'directory') return { staged, changed: false };
  try {
    const fresh = await restoreIntoScratch(cluster, node, host, order, signal);
    // It may have been taken away meanwhile by who cleaned up after an operation that seemed to be lost.
    await requireOwnJournal(node, host, order, signal);
    await host.rename(fresh, staged, signal);
  } catch (error) {
    await removeUnwanted(node, host, order);
    throw error;
  }
  await host.removeOwn(scratch, signal);
  return { staged, changed: true };
}

async function restoreIntoScratch(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  order: StagingOrder,
  signal: AbortSignal,
): Promise<string> {
  const { scratch } = restorePaths(node.etcd.dataDir, order.operationId);
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
  return memberData(fresh);
}

/** Nobody comes back for what is half-done when the journal was taken away; with it, a new attempt or a resume does. */
async function removeUnwanted(node: ClusterNode, host: Host, order: StagingOrder): Promise<void> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS);
  try {
    if (await isOwnJournal(node, host, order, signal)) return;
    await host.removeOwn(restorePaths(node.etcd.dataDir, order.operationId).scratch, signal);
  } catch {
    // The failure that led here matters more.
  }
}

/**
 * Takes back what was staged for a restore that ended before anything was swapped, and its journal. Where another
 * restore has its journal, everything is that one's, whatever its name.
 */
export async function unstageDataDirectory(node: ClusterNode, host: Host, run: RestoreRun, signal: AbortSignal) {
  const journal = await readJournal(node, host, signal);
  if (journal !== undefined && !isSameRun(journal, run)) return { removed: false };
  await removeStaged(node, host, run.operationId, signal);
  if (journal?.phase === 'preparing') await closeJournal(node, host, run, signal);
  return { removed: true };
}

/** What is half-done, and what is done and not yet in its place. */
export async function removeStaged(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
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
