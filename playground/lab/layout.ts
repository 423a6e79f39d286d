/** The places of the lab's files, and the names of its nodes. */
import { join } from 'node:path';
import { cacheDirectory } from '../../adapters/environment.ts';

export type NodeNumber = 1 | 2 | 3 | 4;

/** The unprivileged SSH user of a node; it may use sudo without a password. */
export const USER = { name: 'core', id: 2000 } as const;

/** The name that all API servers' certificates hold; each node resolves it to its own address. */
export const ENDPOINT = 'cp.lab';

/** The prefix of the images' names. No registry answers there: all images are imported. */
export const REGISTRY = 'lab.local';

/** The address of the operator's network namespace, and the address of this machine's end of the link into the lab. */
export const OPERATOR_ADDRESS = '10.123.0.1';
export const MACHINE_ADDRESS = '10.123.0.254';

export interface NodePaths {
  name: string;
  address: string;
  /** The network namespace. */
  namespace: string;
  /** Everything on the node's disk. */
  directory: string;
  /** The subfolder with the differences from this machine's own files, as the node sees it from its root. */
  upper: string;
  /** The record of the running process. */
  record: string;
  log: string;
  /** The node's SSH host key; it outlives a fresh cluster, so known_hosts stays right. */
  hostKey: string;
}

export interface LabPaths {
  directory: string;
  nodes: string;
  golden: string;
  binaries: string;
  images: string;
  sshKey: string;
  knownHosts: string;
  sshConfiguration: string;
  /** The operator's files: the kubeconfig and etcd's certificates. */
  admin: string;
  node(number: NodeNumber): NodePaths;
}

/**
 * The lab's files. A machine can have one lab at a time, wherever its files are: the nodes' addresses are fixed.
 * @param directory default: `lab` in the cache folder
 */
export function labPaths(directory = join(cacheDirectory(), 'lab')): LabPaths {
  const ssh = join(directory, 'ssh');
  return {
    directory,
    nodes: join(directory, 'nodes'),
    golden: join(directory, 'golden'),
    binaries: join(directory, 'parts/bin'),
    images: join(directory, 'parts/images'),
    sshKey: join(ssh, 'id'),
    knownHosts: join(ssh, 'known_hosts'),
    sshConfiguration: join(ssh, 'config'),
    admin: join(directory, 'admin'),
    node(number) {
      const name = `n${number}`;
      return {
        name,
        address: `10.123.0.${10 + number}`,
        namespace: `lab-${name}`,
        directory: join(directory, 'nodes', name),
        upper: join(directory, 'nodes', name, 'upper'),
        record: join(directory, 'run', name),
        log: join(directory, 'run', `${name}.log`),
        hostKey: join(ssh, `${name}-host-key`),
      };
    },
  };
}

/** Every possible node: the fourth is a new machine that belongs to no cluster, for tests that replace a node. */
export const EVERY_NODE = [1, 2, 3, 4] as const satisfies NodeNumber[];

/** The nodes of a lab of this size. */
export function nodeNumbers(nodes: 1 | 3): readonly NodeNumber[] {
  return nodes === 1 ? [1] : [1, 2, 3];
}
