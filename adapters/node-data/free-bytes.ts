/** Room for a member's data. */
import { dirname } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Host } from '../hosts/host.ts';

/** The free bytes where the data directory is or will be: it may have been destroyed. */
export async function freeBytesFor(node: ClusterNode, host: Host, signal: AbortSignal): Promise<number> {
  let directory = node.etcd.dataDir;
  while ((await host.typeOf(directory, signal)) !== 'directory' && directory !== dirname(directory))
    directory = dirname(directory);
  return await host.freeBytes(directory, signal);
}
