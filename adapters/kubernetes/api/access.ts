/** Access to the Kubernetes API of one node's own kube-apiserver, with an administrator's credentials. */
import {
  ApiException,
  type ApiConstructor,
  type ApiType,
  createConfiguration,
  KubeConfig,
  ServerConfiguration,
} from '@kubernetes/client-node';
import type { ClusterNode } from '../../../domain/configuration/nodes.ts';
import type { Cluster } from '../../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../../domain/errors.ts';
import { traitsOf } from '../../../domain/flavours/index.ts';
import { hostFor } from '../../hosts/find.ts';

/** The client library has no timeout of its own. */
const CALL_MS = 10_000;

export interface Access {
  /** The node and its kube-apiserver's address, for messages. */
  where: string;
  /** For calls that the typed clients lack; its current cluster is the node's kube-apiserver. */
  configuration: KubeConfig;
  /** A client of one API group; each call has a time limit. */
  client: <T extends ApiType>(type: ApiConstructor<T>) => T;
}

/** Why nothing could be asked. */
export interface NoAccess {
  why: string;
}

/**
 * Access to a node's kube-apiserver: with the cluster's `kubeconfig`, a file of the worker, or else with the file on
 * the node, if the flavour has one there. That file is read into memory and never written.
 * @returns why there is no access: no credentials, or unusable ones
 * @throws SalvorError `HostUnreachable` and what else the node's host throws
 */
export async function accessNode(cluster: Cluster, node: ClusterNode, signal: AbortSignal): Promise<Access | NoAccess> {
  if (node.apiServer === undefined) return { why: `${node.name} has no kube-apiserver` };
  const { url, ca } = node.apiServer;
  const found = await findCredentials(cluster, node, signal);
  if ('why' in found) return found;
  const { configuration } = found;
  const [server, user] = [configuration.getCurrentCluster(), configuration.getCurrentUser()];
  if (server === null || user === null)
    return { why: `${found.from} has no current context with a cluster and a user` };
  const { caData, ...rest } = server;
  const trust = ca === undefined ? { ...(caData !== undefined && { caData }) } : { caFile: ca };
  configuration.loadFromClusterAndUser({ ...rest, ...trust, server: url }, user);
  const api = createConfiguration({
    baseServer: new ServerConfiguration(url, {}),
    authMethods: { default: configuration },
    promiseMiddleware: [
      {
        pre: async (context) => {
          context.setSignal(AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]));
          return await Promise.resolve(context);
        },
        post: async (response) => await Promise.resolve(response),
      },
    ],
  });
  return { where: `${node.name} (${url})`, configuration, client: (type) => new type(api) };
}

type Credentials = { configuration: KubeConfig; from: string } | NoAccess;

async function findCredentials(cluster: Cluster, node: ClusterNode, signal: AbortSignal): Promise<Credentials> {
  const { kubeconfig, flavour } = cluster;
  if (kubeconfig !== undefined) return load(kubeconfig, (configuration) => configuration.loadFromFile(kubeconfig));
  const files = traitsOf(flavour).kubernetes?.adminKubeconfigs ?? [];
  if (files.length === 0) return { why: 'no credentials; set kubeconfig' };
  const host = hostFor(node);
  try {
    for (const file of files) {
      const text = await host.readText(file, signal);
      if (text !== undefined)
        return load(`${node.name}: ${file}`, (configuration) => configuration.loadFromString(text));
    }
  } finally {
    await host.close();
  }
  return { why: `no credentials: ${node.name} has neither ${files.join(' nor ')}; set kubeconfig` };
}

/** The parser's own message may quote a key. */
function load(from: string, into: (configuration: KubeConfig) => void): Credentials {
  const configuration = new KubeConfig();
  try {
    into(configuration);
    return { configuration, from };
  } catch {
    return { why: `${from} can't be read, or is not a kubeconfig` };
  }
}

/** Makes a request to the API; undefined when the object doesn't exist. */
export async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}

/**
 * Turns a client's error into a failure that is retried: a kube-apiserver that was just started refuses some requests.
 * @param tried the request, for the message
 */
export function apiFailure(error: unknown, { where }: Pick<Access, 'where'>, tried: string): SalvorError {
  if (error instanceof SalvorError) return error;
  return new SalvorError('ComponentStuck', `kube-apiserver of ${where} can't ${tried}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** The library's own message includes the whole answer with its headers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ApiException)) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${CALL_MS / 1_000} s`;
    const { cause } = error instanceof Error ? error : {};
    return [messageOf(error), ...(cause === undefined ? [] : [messageOf(cause)])].join(': ');
  }
  const said =
    typeof error.body === 'string' ? (/"message":"((?:[^"\\]|\\.)*)"/.exec(error.body)?.[1] ?? error.body) : '';
  return `HTTP ${error.code}${said && `: ${said.slice(0, 500)}`}`;
}
