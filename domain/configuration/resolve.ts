/** Checks the configuration and gives one cluster of it with all defaults filled in. */
// oxlint-disable-next-line eslint/no-restricted-imports -- a hash is no I/O
import { createHash } from 'node:crypto';
import { SalvorError } from '../errors.ts';
import { type Flavour, traitsOf } from '../flavours/index.ts';
import type { Traits } from '../flavours/traits.ts';
import type { Compression } from '../format/keys.ts';
import { crossCheck, findWarnings } from './check.ts';
import { type ClusterNode, serviceCommands, type TlsFiles } from './nodes.ts';
import { describeIssue, type Finding, findingsOf, type Problem } from './problems.ts';
import { type Configuration, configurationSchema, type Schedule } from './schema.ts';
import type { NamedStore } from './stores.ts';
import { withoutUndefined } from '../without-undefined.ts';

/**
 * One cluster of the configuration with its stores; defaults are filled in, secrets are still references. It may be
 * written to a workflow's history.
 */
export interface Cluster {
  name: string;
  /** Of everything below as the file has it, except the schedules. Workers with the same digest act alike. */
  digest: string;
  flavour: Flavour;
  stores: NamedStore[];
  compression: Compression;
  encryption?: { recipients: string[]; identities: { file: string }[] };
  etcdTls?: TlsFiles;
  kubeconfig?: string;
  staticResources?: { paths: string[] };
  /** Present when secrets are encrypted in etcd. */
  encryptionAtRest?: true;
  schedules: { backup?: Schedule; verify?: Schedule; prune?: Schedule };
  nodes: ClusterNode[];
}

/** Where a field is, as in `salvor.yaml:12:5`. */
export type Locate = (path: PropertyKey[]) => string | undefined;

/**
 * Checks a configuration as it was read from YAML.
 * @returns the configuration, or everything that is wrong with it
 */
export function checkConfiguration(
  value: unknown,
  locate: Locate = () => undefined,
): { configuration: Configuration; problems?: never } | { problems: Problem[] } {
  const result = configurationSchema.safeParse(value, { error: describeIssue });
  const findings = result.success ? crossCheck(result.data) : result.error.issues.flatMap((issue) => findingsOf(issue));
  if (result.success && findings.length === 0) return { configuration: result.data };
  return { problems: findings.map((finding) => problemOf(finding, locate)) };
}

/**
 * Checks a configuration as it was read from YAML.
 * @param where the file, for the message
 * @throws SalvorError `InvalidConfiguration`, listing every problem with its path
 */
export function parseConfiguration(value: unknown, where: string, locate?: Locate): Configuration {
  const result = checkConfiguration(value, locate);
  if (result.problems) throw invalidConfiguration(where, result.problems);
  return result.configuration;
}

/** The error that lists every problem, one per line. */
export function invalidConfiguration(where: string, problems: Problem[]): SalvorError {
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`).join('\n');
  return new SalvorError('InvalidConfiguration', `${where} is not a valid configuration:\n${lines}`);
}

/** One line: `salvor.yaml:12:5 clusters.prod.flavour: expected one of: …`. */
export function formatProblem({ at, path, message }: Problem): string {
  const place = [at, path].filter(Boolean).join(' ');
  return place ? `${place}: ${message}` : message;
}

/** What is allowed, but worth a warning. */
export function configurationWarnings(configuration: Configuration, locate: Locate = () => undefined): Problem[] {
  return findWarnings(configuration).map((finding) => problemOf(finding, locate));
}

function problemOf({ path, message }: Finding, locate: Locate): Problem {
  const at = locate(path);
  // A hostile name can't add lines of its own.
  const text = path.map((part) =>
    typeof part === 'string' && !PLAIN.test(part) ? JSON.stringify(part) : String(part),
  );
  return withoutUndefined({ path: text.join('.'), message, at });
}

const PLAIN = /^[\w-]+(?:\.[\w-]+)*$/;

const DIGEST_CHARACTERS = 16;

/**
 * One cluster with its stores and defaults.
 * @param asWritten the same configuration before relative paths were made this worker's own; the digest is of it
 * @throws SalvorError `UnknownCluster`, naming the clusters of the configuration
 */
export function resolveCluster(
  configuration: Configuration,
  name: string,
  asWritten: Configuration = configuration,
): Cluster {
  const { schedules: _schedules, ...decisive } = resolved(asWritten, name);
  const digest = createHash('sha256').update(JSON.stringify(decisive)).digest('hex').slice(0, DIGEST_CHARACTERS);
  return { ...resolved(configuration, name), digest };
}

function resolved(configuration: Configuration, name: string): Omit<Cluster, 'digest'> {
  const cluster = Object.hasOwn(configuration.clusters, name) ? configuration.clusters[name] : undefined;
  if (cluster === undefined) {
    const known = Object.keys(configuration.clusters).join(', ') || 'none';
    throw new SalvorError('UnknownCluster', `no cluster is named "${name}" in the configuration; there are: ${known}`);
  }
  const { flavour, compression, schedules, encryption, kubeconfig, staticResources, encryptionAtRest } = cluster;
  const traits = traitsOf(flavour);
  const scheme = traits.etcd.hasTls || cluster.etcd.tls ? 'https' : 'http';
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
    ...(encryptionAtRest && { encryptionAtRest }),
    nodes: cluster.nodes.map((node) => resolveNode(node, traits, scheme)),
  };
}

function resolveNode(
  node: Configuration['clusters'][string]['nodes'][number],
  { kubernetes }: Traits,
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
      ...(etcd?.etcdutl && { etcdutl: etcd.etcdutl }),
      ...(etcd?.configuration && { configuration: etcd.configuration }),
      ...(etcd?.service && { service: serviceCommands(etcd.service) }),
    },
    ...(kubernetes !== null && {
      apiServer: {
        url: apiServer?.url ?? `https://${host}:6443`,
        ...(apiServer?.ca && { ca: apiServer.ca }),
        ...(apiServer?.service && { service: serviceCommands(apiServer.service) }),
      },
    }),
  };
}
