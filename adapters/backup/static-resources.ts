/** The files of one node as one archive: tar on the node → gzip → age → every store that holds them. */
import { basename, dirname, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { type BackupId, staticResourcesKey } from '../../domain/format/keys.ts';
import { type StaticResourcesTaken, staticResourcePaths } from '../../domain/backups/static-resources.ts';
import { flavourNode } from '../flavours/index.ts';
import { isBelow } from '../hosts/is-below.ts';
import { encode } from '../encoding/encode.ts';
import type { Host } from '../hosts/host.ts';
import { putToAll } from '../stores/fan-out.ts';
import type { Store } from '../stores/store.ts';

/**
 * Streams the archive of a node's static resources to the stores. Missing paths are reported. Links are kept as links;
 * if a path itself is a link, its target is kept as well.
 * @param stores those that hold static resources
 * @param onKey called with the key before the first byte is written there
 * @throws SalvorError `InvalidConfiguration` when none of the paths exists, and what the host, or every store, throws
 */
export async function takeStaticResources(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  stores: Store[],
  { backup, signal, onKey }: { backup: BackupId; signal: AbortSignal; onKey: (key: string) => void },
): Promise<StaticResourcesTaken> {
  const { paths, absent } = await findStaticResources(cluster, node, host, signal);
  if (paths.length === 0) {
    throw new SalvorError(
      'InvalidConfiguration',
      `${node.name}: none of the static resources exists (${absent.join(', ')}); correct staticResources.paths of ${cluster.name}`,
    );
  }
  const encrypted = cluster.encryption !== undefined;
  const key = staticResourcesKey(cluster.name, node.address, backup, encrypted);
  onKey(key);
  // Names relative to the root: `tar -xpf … -C /` puts them back where they were.
  const tar = host.stream(['tar', '-cf', '-', '-C', '/', '--', ...paths.map((path) => path.slice(1))], { signal });
  const encoded = encode(tar, {
    compression: 'gzip',
    ...(cluster.encryption && { recipients: cluster.encryption.recipients }),
  });
  const puts = await putToAll(stores, key, encoded.body, { signal });
  if (!puts.some(({ state }) => state === 'complete')) {
    throw puts[0]?.error ?? new SalvorError('StoreUnavailable', `no store took ${key}`);
  }
  const copies = puts.map(({ store, state, error }) => ({ store, state, ...(error && { error: error.message }) }));
  return { node: node.name, key, encrypted, ...encoded.digests(), copies, paths, absent };
}

/** Which of the cluster's static resources exist on a node, and which don't. */
export async function findStaticResources(
  cluster: Cluster,
  node: ClusterNode,
  host: Host,
  signal: AbortSignal,
): Promise<{ paths: string[]; absent: string[] }> {
  const found: string[] = [];
  const absent: string[] = [];
  for (const wanted of staticResourcePaths(cluster)) {
    const matches = await matching(wanted, host, signal);
    if (matches.length === 0) absent.push(wanted);
    for (const path of matches) found.push(path, ...(await linkTarget(path, host, signal)));
  }
  const further =
    cluster.staticResources === undefined ? await flavourNode(cluster, node, host).furtherStaticPaths(signal) : [];
  for (const path of further) ((await host.typeOf(path, signal)) === undefined ? absent : found).push(path);
  // A path below another one is in the archive already.
  const paths = [...new Set(found)].filter((path) => !found.some((other) => other !== path && isBelow(path, other)));
  return { paths, absent };
}

async function matching(wanted: string, host: Host, signal: AbortSignal): Promise<string[]> {
  const name = basename(wanted);
  if (!name.includes('*')) return (await host.typeOf(wanted, signal)) === undefined ? [] : [wanted];
  const directory = dirname(wanted);
  if ((await host.typeOf(directory, signal)) !== 'directory') return [];
  const source = name.replaceAll(/[\\^$.*+?()[\]{}|]/g, (sign) => (sign === '*' ? '.*' : `\\${sign}`));
  const pattern = new RegExp(`^${source}$`, 's');
  const entries = await host.list(directory, signal);
  return entries.filter((entry) => pattern.test(entry.name)).map((entry) => join(directory, entry.name));
}

/** tar keeps a link as a link: if a path is one, its target is kept as well. */
async function linkTarget(path: string, host: Host, signal: AbortSignal): Promise<string[]> {
  const link = await host.run(['readlink', '--', path], { signal });
  if (link.exitCode !== 0) return [];
  const { stdout } = await host.run(['readlink', '-f', '--', path], { signal });
  const target = stdout.replace(/\n$/, '');
  return target.startsWith('/') ? [target] : [];
}
