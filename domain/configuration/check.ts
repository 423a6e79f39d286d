/** Checks what no single field shows: references between stores, clusters and nodes. */
import { traitsOf } from '../flavours/index.ts';
import { type ArtifactKind, storeHolds } from '../format/keys.ts';
import type { Finding } from './problems.ts';
import type { Configuration } from './schema.ts';
import { placeOf } from './stores.ts';

type ClusterConfiguration = Configuration['clusters'][string];

/** Finds what makes a well-formed configuration unusable. */
export function crossCheck(configuration: Configuration): Finding[] {
  return Object.entries(configuration.clusters).flatMap(([name, cluster]) => {
    const at = ['clusters', name];
    return [
      ...checkStores(configuration, cluster, at),
      ...checkDistinctNodes(cluster, at),
      ...checkServices(cluster, at),
    ];
  });
}

function checkStores({ stores }: Configuration, cluster: ClusterConfiguration, at: PropertyKey[]): Finding[] {
  const findings: Finding[] = [];
  for (const [index, store] of cluster.stores.entries()) {
    const path = [...at, 'stores', index];
    if (!Object.hasOwn(stores, store)) {
      const known = Object.keys(stores).join(', ') || 'none';
      findings.push({ path, message: `no store is named "${store}"; there are: ${known}` });
    } else if (cluster.stores.indexOf(store) !== index) {
      findings.push({ path, message: `the store "${store}" is listed twice` });
    }
  }
  if (findings.length === 0 && !cluster.stores.some((store) => holds(stores, store, 'snapshot'))) {
    findings.push({ path: [...at, 'stores'], message: 'none of these stores holds "snapshot"; expected at least one' });
  }
  return findings;
}

type NodeConfiguration = ClusterConfiguration['nodes'][number];

/** What distinguishes nodes. Two that share any of it are the same node listed twice, or a copying mistake. */
const DISTINCT: { field: PropertyKey[]; of: (node: NodeConfiguration) => string }[] = [
  { field: ['name'], of: (node) => node.name },
  { field: ['address'], of: (node) => `${node.address} ${node.etcd?.clientUrl ?? ''}` },
  { field: ['etcd', 'memberName'], of: (node) => node.etcd?.memberName ?? node.name },
  { field: ['etcd', 'clientUrl'], of: (node) => node.etcd?.clientUrl ?? node.address },
  { field: ['etcd', 'peerUrl'], of: (node) => node.etcd?.peerUrl ?? node.address },
  { field: ['etcd', 'dataDir'], of: (node) => `${node.address} ${node.etcd?.dataDir ?? ''}` },
];

function checkDistinctNodes({ nodes }: ClusterConfiguration, at: PropertyKey[]): Finding[] {
  return nodes.flatMap((node, index) => {
    for (const { field, of } of DISTINCT) {
      const other = nodes.slice(0, index).find((earlier) => of(earlier) === of(node));
      if (other === undefined) continue;
      const message = `the same as node "${other.name}"; expected each node once, with its own ${field.at(-1)?.toString()}`;
      return [{ path: [...at, 'nodes', index, ...field], message }];
    }
    return [];
  });
}

function checkServices(cluster: ClusterConfiguration, at: PropertyKey[]): Finding[] {
  const { flavour } = cluster;
  const { needsCommands, kubernetes } = traitsOf(flavour);
  const findings: Finding[] = [];
  for (const [index, node] of cluster.nodes.entries()) {
    const path = [...at, 'nodes', index];
    if (needsCommands && node.etcd?.service === undefined) {
      findings.push({
        path: [...path, 'etcd', 'service'],
        message: `missing; the flavour "${flavour}" needs the commands that start, stop and check etcd`,
      });
    }
    if (needsCommands && kubernetes !== null && node.apiServer?.service === undefined) {
      findings.push({
        path: [...path, 'apiServer', 'service'],
        message: `missing; the flavour "${flavour}" needs the commands that start, stop and check kube-apiserver (without Kubernetes, use the flavour "etcd")`,
      });
    }
    if (kubernetes === null && node.apiServer !== undefined) {
      findings.push({
        path: [...path, 'apiServer'],
        message: `the flavour "${flavour}" has no kube-apiserver; with one, use the flavour "services"`,
      });
    }
  }
  return findings;
}

/** Finds what is allowed, but worth a warning. */
export function findWarnings(configuration: Configuration): Finding[] {
  return [
    ...samePlaces(configuration),
    ...Object.entries(configuration.clusters).flatMap(([name, cluster]) => [
      ...keysBesideSnapshots(configuration, name, cluster),
      ...missingKeys(name, cluster),
    ]),
  ];
}

/** Two stores at the same place look like two copies, but hold only one. */
function samePlaces({ stores }: Configuration): Finding[] {
  const places = new Map<string, string>();
  return Object.entries(stores).flatMap(([name, store]) => {
    const place = placeOf(store);
    const other = places.get(place);
    places.set(place, other ?? name);
    if (other === undefined) return [];
    return [
      {
        path: ['stores', name],
        message: `the same place as store "${other}": a backup in both stores has only one copy`,
      },
    ];
  });
}

function keysBesideSnapshots({ stores }: Configuration, name: string, cluster: ClusterConfiguration): Finding[] {
  if (!cluster.encryptionAtRest) return [];
  return cluster.stores
    .filter((store) => holds(stores, store, 'snapshot') && holds(stores, store, 'static-resources'))
    .map((store) => ({
      path: ['clusters', name, 'stores', cluster.stores.indexOf(store)],
      message: `store "${store}" would hold both the snapshot of "${name}" and, in its static resources, the keys that decrypt it; set "holds" to keep them apart`,
    }));
}

/** Missing credentials are only noticed when they are needed, which may be at night. */
function missingKeys(name: string, cluster: ClusterConfiguration): Finding[] {
  const findings: Finding[] = [];
  if (cluster.encryption && (cluster.encryption.identities ?? []).length === 0) {
    findings.push({
      path: ['clusters', name, 'encryption'],
      message: 'no "identities": backups will be written, but verify and restore can\'t read them',
    });
  }
  const https = cluster.nodes.some((node) => node.etcd?.clientUrl?.startsWith('https:'));
  const { hasTls, clientCertificate } = traitsOf(cluster.flavour).etcd;
  // The worker reads the nodes' own certificate if they have one and it can reach a node.
  const isRead =
    clientCertificate !== null &&
    cluster.nodes.some(({ connection, taskQueue }) => connection !== 'local' || taskQueue === undefined);
  if ((https || hasTls) && !isRead && !cluster.etcd.tls) {
    findings.push({
      path: ['clusters', name, 'etcd'],
      message: 'no "tls": the worker has no client certificate, which this kind of etcd requires',
    });
  }
  return findings;
}

function holds(stores: Configuration['stores'], name: string, kind: ArtifactKind): boolean {
  const store = stores[name];
  return store !== undefined && storeHolds(store, kind);
}
