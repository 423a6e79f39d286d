/** What other restores have staged on a node: of one that may still be under way, or left by one that is gone. */
import { basename, join } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData, restorePaths } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';

/** No restore stages for so long. */
const ABANDONED_MINUTES = 24 * 60;

/**
 * A node where somebody else stages, or where this restore was carried out once already, is no ground for it.
 * @throws SalvorError `UnsafeState`, with nothing removed
 */
export async function refuseOthersStaging(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { setAside } = restorePaths(node.etcd.dataDir, operationId);
  if ((await host.typeOf(setAside, signal)) !== undefined) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${setAside} is there, so this restore has changed the node once already; was its operation reset? Start a new restore`,
    );
  }
  for (const path of await othersStaging(node, host, operationId, signal)) {
    if (!(await isYoung(host, path, signal))) continue;
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${path} was staged by another restore less than a day ago, and no journal here tells of it. Look for that restore, also on other Temporal servers. If there is none, remove the directory, or wait until it is a day old`,
    );
  }
}

/** What a restore that is long gone staged and never used: nobody will come back for it. */
export async function removeAbandonedStaging(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<void> {
  for (const path of await othersStaging(node, host, operationId, signal)) {
    if (!(await isYoung(host, path, signal))) await host.removeOwn(path, signal);
  }
}

async function othersStaging(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { dataDir } = node.etcd;
  if ((await host.typeOf(dataDir, signal)) === undefined) return [];
  const own = Object.values(restorePaths(dataDir, operationId));
  const data = basename(memberData(dataDir));
  return (await host.list(dataDir, signal)).flatMap(({ name }) => {
    const path = join(dataDir, name);
    const isStaging = /^\.salvor-(?:scratch|staged)-\d{8}-\d{6}$/.test(name.slice(data.length));
    return name.startsWith(data) && isStaging && !own.includes(path) ? [path] : [];
  });
}

/** By the node's own clock. */
async function isYoung(host: Host, path: string, signal: AbortSignal): Promise<boolean> {
  const argv = ['find', path, '-maxdepth', '0', '-mmin', `-${ABANDONED_MINUTES}`] as const;
  const { exitCode, stdout, stderr } = await host.run(argv, { signal });
  if (exitCode === 0) return stdout.trim() !== '';
  throw new SalvorError('CommandFailed', `${host.name}: find ${path}: ${stderr.trim()}`);
}
