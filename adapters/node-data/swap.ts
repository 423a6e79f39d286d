/** The data of a member, in its data directory: what was staged beside the old is swapped in by two renames. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData, restorePaths } from '../../domain/node-paths.ts';
import type { Host } from '../hosts/host.ts';
import { removeStaged } from './data-directory.ts';
import { newDataOn, requireNewData } from './new-data.ts';

/**
 * Moves the old data aside and the staged in its place. Run again at any point, it goes on from what it finds.
 * @returns where the old lies now; null when the member had none
 * @throws SalvorError `UnsafeState` when what was staged is neither there nor in its place
 */
export async function swapDataDirectory(node: ClusterNode, host: Host, operationId: string, signal: AbortSignal) {
  const data = memberData(node.etcd.dataDir);
  const { staged, setAside } = restorePaths(node.etcd.dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  if (await isThere(staged)) {
    if ((await isThere(data)) && (await isThere(setAside))) {
      throw new SalvorError(
        'UnsafeState',
        `${node.name}: ${data} is there although it was already moved to ${setAside}; something else made it anew. Move it away and retry`,
      );
    }
    if (await isThere(data)) await host.rename(data, setAside, signal);
    await host.rename(staged, data, signal);
  } else {
    await requireNewData(node, host, operationId, signal);
  }
  return { setAside: (await isThere(setAside)) ? setAside : null };
}

/**
 * Undoes a swap: the restored data is moved away, never removed, and the old put back. Before a swap it takes back what
 * was staged. Run again at any point, it goes on from what it finds.
 * @param before whether the member had data when the restore began
 * @returns where the restored data lies now; null when none was in place
 */
export async function putBackDataDirectory(
  node: ClusterNode,
  host: Host,
  operationId: string,
  before: 'present' | 'missing',
  signal: AbortSignal,
) {
  const data = memberData(node.etcd.dataDir);
  const { setAside, abandoned } = restorePaths(node.etcd.dataDir, operationId);
  const isThere = async (path: string) => (await host.typeOf(path, signal)) !== undefined;
  const newData = await newDataOn(node, host, operationId, signal);
  const oldIsAside = await isThere(setAside);
  // Of a member that had none, whatever lies there after the swap is the restored one.
  const isRestored = newData === 'in place' || (newData === 'gone' && (oldIsAside || before === 'missing'));
  if (newData === 'in place' && !oldIsAside && before === 'present') {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: ${data} is the restored data, and the old is not in ${setAside}: something else has moved or removed it. Find it, put it there and retry`,
    );
  }
  if (isRestored && (await isThere(data)) && !(await isThere(abandoned))) await host.rename(data, abandoned, signal);
  if (oldIsAside) await host.rename(setAside, data, signal);
  await removeStaged(node, host, operationId, signal);
  if (before === 'present' && !(await isThere(data))) {
    throw new SalvorError(
      'UnsafeState',
      `${node.name}: the old data is neither ${data} nor ${setAside}; was it moved by hand?`,
    );
  }
  return { abandoned: (await isThere(abandoned)) ? abandoned : null };
}
