/**
 * The data of a member that is replaced: it is moved aside within its data directory, which may be a mount point and
 * belong to its own user.
 */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData, asideName } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';

function pathsOf({ etcd }: ClusterNode, operationId: string): { data: string; aside: string } {
  const data = memberData(etcd.dataDir);
  return { data, aside: asideName(data, operationId) };
}

/**
 * Moves a stopped member's data aside. Run again at any point, it continues from what it finds.
 * @returns its path now; null when the member had none
 */
export async function setMemberDataAside(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const { data, aside } = pathsOf(node, operationId);
  const [isThere, isAside] = await Promise.all([
    host.typeOf(data, signal).then((type) => type !== undefined),
    host.typeOf(aside, signal).then((type) => type !== undefined),
  ]);
  if (isThere && isAside) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${data} exists although it was already moved to ${aside}; something has started etcd in the meantime. Stop it, move ${data} away and retry`,
    );
  }
  if (isThere) await host.rename(data, aside, signal);
  return { setAside: isThere || isAside ? aside : null };
}

/**
 * For a rollback before the member was removed: its data is its own again.
 * @param hadData whether it ran before: then it had data, and starting it without would make it another member
 * @throws SalvorError `UnsafeState` when it had data, and this is neither in its place nor aside
 */
export async function putBackMemberData(
  node: ClusterNode,
  host: Host,
  { operationId, hadData }: { operationId: string; hadData: boolean },
  signal: AbortSignal,
) {
  const { data, aside } = pathsOf(node, operationId);
  if ((await host.typeOf(aside, signal)) === undefined) {
    if (!hadData || (await host.typeOf(data, signal)) !== undefined) return { changed: false };
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: the data of this member is neither ${data} nor ${aside}: something else has moved or removed it. Find it, put it to ${data} and retry`,
    );
  }
  await host.rename(aside, data, signal);
  return { changed: true };
}
