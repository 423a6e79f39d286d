/** Finds the host of a node, and the tools on it. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { SalvorError } from '../../domain/errors.ts';
import { provideTool } from '../binaries/binaries.ts';
import type { Host } from './host.ts';
import { localHost } from './local.ts';
import { sshHost } from './ssh.ts';

/** The host through which Salvor acts on a node; it connects on first use. */
export function hostFor(node: ClusterNode): Host {
  return node.connection === 'local' ? localHost(node.name) : sshHost(node, node.connection.ssh);
}

/**
 * The path of etcdutl on a host that is this machine; a missing etcdutl is fetched.
 * @throws SalvorError `ToolMissing` when it is neither there nor can be fetched
 */
export async function locateEtcdutl(host: Host): Promise<string> {
  try {
    const tool = await provideTool('etcdutl');
    return tool.path;
  } catch (error) {
    if (error instanceof SalvorError && error.type === 'ToolMissing') {
      throw new SalvorError('ToolMissing', `${host.name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
