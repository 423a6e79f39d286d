/** Where what a restore staged on a node is now. That it is no longer where it was staged is no proof of a swap. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { memberData, restorePaths } from '../../domain/node-paths.ts';
import type { NewData } from '../../domain/restore/journal.ts';
import type { Host } from '../hosts/host.ts';
import { readJournal } from './journal.ts';

/**
 * Beside the data directory, in its place, or neither. It is in its place when the directory there is the one that was
 * staged, by what the journal says of it. Where the journal was lost, the old data that lies aside is enough.
 */
export async function newDataOn(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<NewData> {
  const { staged, setAside } = restorePaths(node.etcd.dataDir, operationId);
  if ((await host.typeOf(staged, signal)) !== undefined) return 'staged';
  const data = memberData(node.etcd.dataDir);
  const journal = await readJournal(node, host, signal);
  if (journal?.newData !== undefined && journal.operationId === operationId) {
    return (await identityOf(host, data, signal)) === journal.newData ? 'in place' : 'gone';
  }
  const isSwapped =
    (await host.typeOf(setAside, signal)) !== undefined && (await host.typeOf(data, signal)) !== undefined;
  return isSwapped ? 'in place' : 'gone';
}

/** @throws SalvorError `UnsafeState` when it is neither beside the data directory nor in its place */
export async function requireNewData(
  node: ClusterNode,
  host: Host,
  operationId: string,
  signal: AbortSignal,
): Promise<Exclude<NewData, 'gone'>> {
  const found = await newDataOn(node, host, operationId, signal);
  if (found !== 'gone') return found;
  const { staged } = restorePaths(node.etcd.dataDir, operationId);
  throw new SalvorError(
    'UnsafeState',
    `${node.name}: ${staged}, which this restore staged, is gone, and ${memberData(node.etcd.dataDir)} is not what was staged there: something else has moved or removed it. Find out who acts on this node, roll back, and start the restore again`,
  );
}

/**
 * Which directory it is, however often it is renamed: the inode, which a file system gives again as soon as it is free,
 * and when it was made. Undefined when nothing is there.
 */
export async function identityOf(host: Host, path: string, signal: AbortSignal): Promise<string | undefined> {
  if ((await host.typeOf(path, signal)) === undefined) return undefined;
  const { exitCode, stdout, stderr } = await host.run(['stat', '-L', '-c', '%i %w', path], { signal });
  if (exitCode === 0) return stdout.trim();
  throw new SalvorError('CommandFailed', `${host.name}: stat ${path}: ${stderr.trim()}`);
}
