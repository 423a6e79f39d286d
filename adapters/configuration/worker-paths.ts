/** A relative path in the configuration is relative to the file that contains it, wherever the worker was started. */
import { dirname, resolve } from 'node:path';
import type { SshSettings } from '../../domain/configuration/nodes.ts';
import type { Configuration } from '../../domain/configuration/schema.ts';
import { resolveStorePaths } from '../stores/types.ts';

type ClusterConfiguration = Configuration['clusters'][string];
type FileOf = (section: 'stores' | 'clusters', name: string) => string;

/** The configuration with every path of the worker made absolute. */
export function resolveWorkerPaths({ stores, clusters }: Configuration, fileOf: FileOf): Configuration {
  return {
    stores: mapValues(stores, (store, name) => resolveStorePaths(store, below(fileOf('stores', name)))),
    clusters: mapValues(clusters, (cluster, name) => resolveCluster(cluster, below(fileOf('clusters', name)))),
  };
}

type Resolve = (path: string) => string;

function below(file: string): Resolve {
  return (path) => resolve(dirname(file), path);
}

function resolveCluster(cluster: ClusterConfiguration, absolute: Resolve): ClusterConfiguration {
  const { etcd, encryption, kubeconfig } = cluster;
  return {
    ...cluster,
    etcd: etcd.tls ? { tls: mapValues(etcd.tls, absolute) } : {},
    ...(kubeconfig !== undefined && { kubeconfig: absolute(kubeconfig) }),
    ...(encryption && {
      encryption: {
        ...encryption,
        ...(encryption.identities && {
          identities: encryption.identities.map(({ file }) => ({ file: absolute(file) })),
        }),
      },
    }),
    nodes: cluster.nodes.map((node) => resolveNode(node, absolute)),
  };
}

type NodeConfiguration = ClusterConfiguration['nodes'][number];

function resolveNode(node: NodeConfiguration, absolute: Resolve): NodeConfiguration {
  const { apiServer, connection } = node;
  return {
    ...node,
    connection: connection === 'local' ? connection : { ssh: resolveSsh(connection.ssh, absolute) },
    ...(apiServer?.ca !== undefined && { apiServer: { ...apiServer, ca: absolute(apiServer.ca) } }),
  };
}

function resolveSsh(ssh: SshSettings, absolute: Resolve): SshSettings {
  const { identityFile, knownHostsFile } = ssh;
  return {
    ...ssh,
    ...(identityFile !== undefined && { identityFile: absolute(identityFile) }),
    ...(knownHostsFile !== undefined && { knownHostsFile: absolute(knownHostsFile) }),
  };
}

function mapValues<T extends Record<string, unknown>>(value: T, map: (each: T[keyof T], key: string) => T[keyof T]): T {
  // The same keys with values of the same type.
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, map(each as T[keyof T], key)])) as T;
}
