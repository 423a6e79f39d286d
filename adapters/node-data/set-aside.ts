/** What restores and replacements have moved aside on the nodes: it is listed, and removed on request. */
import { dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData } from '../../domain/node-paths.ts';
import { type KnownAside, type Movable, type SetAside, setAsideAt } from '../../domain/restore/set-aside.ts';
import { flavourNode } from '../flavours/index.ts';
import type { Host } from '../hosts/host.ts';

/** The time limit for counting and removing many gigabytes. */
const DISK_USAGE_MS = 120_000;

/**
 * What restores and replacements have set aside on a node, oldest first, including the remains of a killed removal.
 * @throws SalvorError `CommandFailed` when the disk can't be read, and what else the host throws
 */
export async function listSetAside(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<SetAside[]> {
  const found: SetAside[] = [];
  for (const { path, kind, type, operationId } of await everyAsideOf(movableOn(cluster, node, host), host, signal)) {
    found.push({ path, kind, type, operationId, bytes: await bytesOf(path, host, signal) });
  }
  return found.sort((a, b) => (a.operationId < b.operationId ? -1 : 1));
}

/**
 * Removes what restores and replacements have set aside. Data that is already gone is fine.
 * @returns the bytes that were freed
 * @throws SalvorError `UnsafeState`, with nothing removed, for a path that no operation has set aside, and while the
 * member has no data: the set-aside data may then be its only data
 */
export async function removeSetAside(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ removed: string[]; bytes: number }> {
  const movable = movableOn(cluster, node, host);
  const wanted = paths.map((path) => knownAt(path, movable, node));
  const data = memberData(node.etcd.dataDir);
  if ((await host.typeOf(data, signal)) !== 'directory') {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: nothing was removed: ${data} does not exist, so what was set aside may be the only data of this member`,
    );
  }
  const there = new Set((await everyAsideOf(movable, host, signal)).map(({ path }) => path));
  let bytes = 0;
  for (const { path, type } of wanted) {
    if (there.has(path)) {
      bytes += await bytesOf(path, host, signal);
    } else if ((await host.typeOf(path, signal)) !== undefined) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${path} was not removed: it is not a ${type}, but a link or a ${type === 'file' ? 'directory' : 'file'}`,
      );
    }
  }
  for (const { path, removing } of wanted) {
    // The remains of a killed removal go first, or the rename would fail.
    await host.removeOwn(removing, signal);
    if (path === removing || !there.has(path)) continue;
    // Under Salvor's own name, a half-removed directory is never taken for whole data.
    await host.rename(path, removing, signal);
    await host.removeOwn(removing, signal);
  }
  return { removed: wanted.map(({ path }) => path).filter((path) => there.has(path)), bytes };
}

function movableOn(cluster: Cluster, node: ClusterNode, host: Host): Movable {
  return { dataDir: node.etcd.dataDir, files: flavourNode(cluster, node, host).member.replacedFiles() };
}

function knownAt(path: string, movable: Movable, node: ClusterNode): KnownAside {
  const known = setAsideAt(movable, path);
  if (known) return known;
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: nothing was removed: no restore or replacement has set ${path} aside next to ${[memberData(movable.dataDir), ...movable.files].join(', ')}`,
  );
}

/** Real directories and files, not links to them. */
async function everyAsideOf(movable: Movable, host: Host, signal: AbortSignal): Promise<KnownAside[]> {
  const folders = new Set([movable.dataDir, ...movable.files.map((file) => dirname(file))]);
  const found: KnownAside[] = [];
  for (const folder of folders) {
    if ((await host.typeOf(folder, signal)) !== 'directory') continue;
    for (const { name, type } of await host.list(folder, signal)) {
      const known = setAsideAt(movable, join(folder, name));
      if (known?.type === type) found.push(known);
    }
  }
  return found;
}

async function bytesOf(path: string, host: Host, signal: AbortSignal): Promise<number> {
  const { stdout, stderr } = await host.run(['du', '-s', '-B1', '--', path], { signal, timeoutMs: DISK_USAGE_MS });
  const bytes = /^(\d+)\t/.exec(stdout)?.[1];
  if (bytes !== undefined) return Number(bytes);
  throw new SalvorError('CommandFailed', `${host.name}: \`du\` did not report the size of ${path}: ${stderr.trim()}`);
}
