/** From the text of the configuration to one cluster with everything filled in. */
import { SalvorError } from '../errors.ts';
import type { Compression, Flavour } from '../manifest.ts';
import { type ClusterNode, serviceCommands, type TlsFiles } from './nodes.ts';
import { type Configuration, configurationSchema, type Schedule } from './schema.ts';
import type { NamedStore } from './stores.ts';

/** One cluster of the configuration: defaults filled in, its stores beside it, secrets still references. It may stand in a history. */
export interface Cluster {
  name: string;
  flavour: Flavour;
  stores: NamedStore[];
  compression: Compression;
  encryption?: { recipients: string[]; identities: { file: string }[] };
  etcdTls?: TlsFiles;
  kubeconfig?: string;
  staticResources?: { paths: string[] };
  schedules: { backup?: Schedule; verify?: Schedule; prune?: Schedule };
  nodes: ClusterNode[];
}

/** One thing that is wrong with a configuration, or worth a thought. */
export interface Problem {
  /** As in `clusters.prod.nodes.0.address`. */
  path: string;
  message: string;
}

/**
 * Checks a configuration as it was read from YAML.
 * @param where named in the message: the file
 * @throws SalvorError `InvalidConfiguration`, listing every problem with its path
 */
export function parseConfiguration(value: unknown, where: string): Configuration {
  const result = configurationSchema.safeParse(value);
  const problems = result.success
    ? crossCheck(result.data)
    : result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  if (result.success && problems.length === 0) return result.data;
  const lines = problems.map(({ path, message }) => `  ${path || '(top)'}: ${message}`).join('\n');
  throw new SalvorError('InvalidConfiguration', `${where} is not a valid configuration:\n${lines}`);
}

/** What no single field can tell: references between stores, clusters and nodes. */
function crossCheck(configuration: Configuration): Problem[] {
  const problems: Problem[] = [];
  const stores = Object.keys(configuration.stores);
  for (const [name, cluster] of Object.entries(configuration.clusters)) {
    const at = `clusters.${name}`;
    for (const [index, store] of cluster.stores.entries()) {
      if (!stores.includes(store)) {
        problems.push({
          path: `${at}.stores.${index}`,
          message: `no store is named "${store}"; there are: ${stores.join(', ') || 'none'}`,
        });
      }
    }
    for (const property of ['name', 'address'] as const) {
      const values = cluster.nodes.map(
        (node) => `${node[property]}${property === 'address' ? (node.etcd?.clientUrl ?? '') : ''}`,
      );
      for (const [index, value] of values.entries()) {
        if (values.indexOf(value) !== index) {
          problems.push({
            path: `${at}.nodes.${index}.${property}`,
            message: 'two nodes have the same; expected each node once',
          });
        }
      }
    }
    if (cluster.flavour !== 'services' && cluster.flavour !== 'etcd') continue;
    for (const [index, node] of cluster.nodes.entries()) {
      if (node.etcd?.service === undefined) {
        problems.push({
          path: `${at}.nodes.${index}.etcd.service`,
          message: `missing; the flavour "${cluster.flavour}" needs how etcd is started, stopped and looked at`,
        });
      }
      if (cluster.flavour === 'services' && node.apiServer?.service === undefined) {
        problems.push({
          path: `${at}.nodes.${index}.apiServer.service`,
          message:
            'missing; the flavour "services" needs how kube-apiserver is started, stopped and looked at (without Kubernetes the flavour is "etcd")',
        });
      }
      if (cluster.flavour === 'etcd' && node.apiServer !== undefined) {
        problems.push({
          path: `${at}.nodes.${index}.apiServer`,
          message: 'the flavour "etcd" has no kube-apiserver; with one the flavour is "services"',
        });
      }
    }
  }
  return problems;
}

/** What is allowed, but should be known. */
export function configurationWarnings(configuration: Configuration): Problem[] {
  const warnings: Problem[] = [];
  for (const [name, cluster] of Object.entries(configuration.clusters)) {
    if (!cluster.encryptionAtRest) continue;
    for (const store of cluster.stores) {
      const holds = configuration.stores[store]?.holds;
      if (holds === undefined || (holds.includes('snapshot') && holds.includes('static-resources'))) {
        warnings.push({
          path: `clusters.${name}.stores`,
          message: `store "${store}" would hold both the snapshot of "${name}" and, in its static resources, the keys that decrypt it; set "holds" so that they lie apart`,
        });
      }
    }
  }
  return warnings;
}

/**
 * One cluster with its stores and defaults.
 * @throws SalvorError `UnknownCluster`, naming the clusters there are
 */
export function resolveCluster(configuration: Configuration, name: string): Cluster {
  const cluster = Object.hasOwn(configuration.clusters, name) ? configuration.clusters[name] : undefined;
  if (cluster === undefined) {
    const known = Object.keys(configuration.clusters).join(', ') || 'none';
    throw new SalvorError('UnknownCluster', `no cluster is named "${name}" in the configuration; there are: ${known}`);
  }
  const { flavour, compression, schedules, encryption, kubeconfig, staticResources } = cluster;
  const scheme = flavour === 'etcd' || flavour === 'services' ? (cluster.etcd.tls ? 'https' : 'http') : 'https';
  return {
    name,
    flavour,
    compression,
    schedules: withoutUndefined(schedules),
    stores: cluster.stores.flatMap((store) => {
      const found = configuration.stores[store];
      return found ? [{ ...found, name: store }] : [];
    }),
    ...(encryption && { encryption: { recipients: encryption.recipients, identities: encryption.identities ?? [] } }),
    ...(cluster.etcd.tls && { etcdTls: cluster.etcd.tls }),
    ...(kubeconfig && { kubeconfig }),
    ...(staticResources && { staticResources }),
    nodes: cluster.nodes.map((node) => resolveNode(node, flavour, scheme)),
  };
}

function resolveNode(
  node: Configuration['clusters'][string]['nodes'][number],
  flavour: Flavour,
  scheme: string,
): ClusterNode {
  const host = node.address.includes(':') ? `[${node.address}]` : node.address;
  const { etcd, apiServer } = node;
  return {
    name: node.name,
    address: node.address,
    connection: node.connection,
    ...(node.taskQueue && { taskQueue: node.taskQueue }),
    etcd: {
      memberName: etcd?.memberName ?? node.name,
      clientUrl: etcd?.clientUrl ?? `${scheme}://${host}:2379`,
      peerUrl: etcd?.peerUrl ?? `${scheme}://${host}:2380`,
      dataDir: etcd?.dataDir ?? '/var/lib/etcd',
      ...(etcd?.service && { service: serviceCommands(etcd.service) }),
    },
    ...(flavour !== 'etcd' && {
      apiServer: {
        url: apiServer?.url ?? `https://${host}:6443`,
        ...(apiServer?.ca && { ca: apiServer.ca }),
        ...(apiServer?.service && { service: serviceCommands(apiServer.service) }),
      },
    }),
  };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The entries are the value's own, less those that are undefined.
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
