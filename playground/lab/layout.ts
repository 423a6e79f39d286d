/** Where the lab's files lie, and what its nodes are called. */
import { join } from 'node:path';
import { cacheDirectory } from '../../adapters/environment.ts';

export type NodeNumber = 1 | 2 | 3 | 4;

/** The unprivileged user that a node takes over SSH; it may use sudo without a password. */
export const USER = { name: 'core', id: 2000 } as const;

/** The name that all API servers' certificates hold; each node knows it as its own address. */
export const ENDPOINT = 'cp.lab';

/** What the images' names begin with. Nothing answers under it: all images are imported. */
export const REGISTRY = 'lab.local';

/** The address of the operator's network namespace, and of this machine's end of the wire into the lab. */
export const OPERATOR_ADDRESS = '10.123.0.1';
export const MACHINE_ADDRESS = '10.123.0.254';

export interface NodePaths {
  name: string;
  address: string;
  /** The network namespace. */
  namespace: string;
  /** Everything that is on the node's disk. */
  directory: string;
  /** In it, what differs from this machine's own files, as the node sees it from its root. */
  upper: string;
  /** The record of the running process. */
  record: string;
  log: string;
  /** The node's key as an SSH server; it outlives a fresh cluster, so that known_hosts stays right. */
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
  /** What an operator holds: the kubeconfig and etcd's certificates. */
  admin: string;
  node(number: NodeNumber): NodePaths;
}

/**
 * The lab's files. There is one lab on a machine at a time, wherever its files lie: the nodes' addresses are fixed.
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

/**
 * Every node that there can be: the fourth is a new machine, which belongs to no cluster, for tests that put one in
 * another's place.
 */
export const EVERY_NODE = [1, 2, 3, 4] as const satisfies NodeNumber[];

/** The nodes of a lab of this size. */
export function nodeNumbers(nodes: 1 | 3): readonly NodeNumber[] {
  return nodes === 1 ? [1] : [1, 2, 3];
}
