/** The members' data that restores have moved aside: listed, and removed when that is asked for. */
import { basename, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData } from '../../domain/node-paths.ts';
import { removingPath, type SetAside, setAsideAt } from '../../domain/restore/set-aside.ts';
import type { Host } from '../hosts/host.ts';

/** Counting and removing many gigabytes. */
const DISK_USAGE_MS = 120_000;

/**
 * What restores have set aside on a node, the oldest first.
 * @throws SalvorError `CommandFailed` when the disk can't be read, and what else the host throws
 */
export async function listSetAside(node: ClusterNode, host: Host, signal: AbortSignal): Promise<SetAside[]> {
  const found: SetAside[] = [];
  for (const path of await directoriesBeside(node, host, signal)) {
    const known = setAsideAt(node.etcd.dataDir, path);
    if (known) found.push({ ...known, bytes: await bytesOf(path, host, signal) });
  }
  return found.sort((a, b) => (a.operationId < b.operationId ? -1 : 1));
}

/**
 * Removes what restores have set aside. Removed already is fine.
 * @returns the bytes that were freed
 * @throws SalvorError `UnsafeState`, with nothing removed, for a path that isn't such a directory, and while the member has no data: then this may be its
 * only one
 */
export async function removeSetAside(
  node: ClusterNode,
  host: Host,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<{ removed: string[]; bytes: number }> {
  const { dataDir } = node.etcd;
  const data = memberData(dataDir);
  const wanted = paths.map((path) => ({ path, known: setAsideAt(dataDir, path) }));
  for (const { path, known } of wanted) {
    if (known === undefined) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${path} is not removed: it is no directory that a restore set aside beside ${data}; nothing was removed`,
      );
    }
  }
  if ((await host.typeOf(data, signal)) !== 'directory') {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${data} is not there, so what was set aside may be the only data of this member; nothing was removed`,
    );
  }
  const there = await directoriesBeside(node, host, signal);
  const removed: string[] = [];
  let bytes = 0;
  for (const { path, known } of wanted) {
    if (known === undefined) continue;
    const removing = removingPath(dataDir, known);
    await host.removeScratch(removing, signal);
    if (there.includes(path)) {
      bytes += await bytesOf(path, host, signal);
      // Under the name of scratch, a half-removed directory is never taken for whole data.
      await host.rename(path, removing, signal);
      await host.removeScratch(removing, signal);
      removed.push(path);
    } else if ((await host.typeOf(path, signal)) !== undefined) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${path} is not removed: it is no directory, but a link or a file`,
      );
    }
  }
  return { removed, bytes };
}

/** Real directories, not links to some. */
async function directoriesBeside(node: ClusterNode, host: Host, signal: AbortSignal): Promise<string[]> {
  const { dataDir } = node.etcd;
  if ((await host.typeOf(dataDir, signal)) !== 'directory') return [];
  const entries = await host.list(dataDir, signal);
  return entries
    .filter(({ name, type }) => type === 'directory' && name.startsWith(basename(memberData(dataDir))))
    .map(({ name }) => join(dataDir, name));
}

async function bytesOf(path: string, host: Host, signal: AbortSignal): Promise<number> {
  const { stdout, stderr } = await host.run(['du', '-s', '-B1', '--', path], { signal, timeoutMs: DISK_USAGE_MS });
  const bytes = /^(\d+)\t/.exec(stdout)?.[1];
  if (bytes !== undefined) return Number(bytes);
  throw new SalvorError('CommandFailed', `${host.name}: \`du\` does not tell the size of ${path}: ${stderr.trim()}`);
}
