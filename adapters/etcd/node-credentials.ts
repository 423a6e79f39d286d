/** The client certificate that every control-plane node has: read into memory, never written anywhere else. */
import { dirname } from 'node:path';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../../domain/errors.ts';
import type { EtcdTraits } from '../../domain/flavours/traits.ts';
import { hostFor } from '../hosts/find.ts';
import type { Pem } from './member.ts';

/** A renewed certificate is in use a minute later. */
const KEPT_MS = 60_000;
const READ_MS = 120_000;

type Files = NonNullable<EtcdTraits['clientCertificate']>;

const kept = new Map<string, { pem: Promise<Pem>; atMs: number }>();

/**
 * The certificate that a cluster's members accept, from the first readable node: all nodes have the same authority.
 * @throws SalvorError `HostUnreachable` when it can be read from no node
 */
export async function nodeCredentials(cluster: Cluster, files: Files): Promise<Pem> {
  const nodes = readableNodes(cluster);
  const id = JSON.stringify([cluster.name, nodes]);
  const known = kept.get(id);
  if (known !== undefined && Date.now() - known.atMs < KEPT_MS) return await known.pem;
  const pem = readFromAny(cluster, nodes, files);
  kept.set(id, { pem, atMs: Date.now() });
  try {
    return await pem;
  } catch (error) {
    if (kept.get(id)?.pem === pem) kept.delete(id);
    throw error;
  }
}

/** This worker can't reach a node that has its own worker, whatever the node's connection says. */
export function isReadable({ connection, taskQueue }: ClusterNode): boolean {
  return connection !== 'local' || taskQueue === undefined;
}

function readableNodes(cluster: Cluster): Pick<ClusterNode, 'name' | 'address' | 'connection'>[] {
  const nodes = cluster.nodes.filter(isReadable);
  if (nodes.length > 0) return nodes;
  throw new SalvorError(
    'InvalidConfiguration',
    `${cluster.name}: this worker reaches none of the cluster's nodes, so it can't read etcd's client certificate there; set etcd.tls`,
  );
}

async function readFromAny(cluster: Cluster, nodes: Pick<ClusterNode, 'name'>[], files: Files): Promise<Pem> {
  const signal = AbortSignal.timeout(READ_MS);
  const reasons: string[] = [];
  for (const { name } of nodes) {
    const node = cluster.nodes.find((each) => each.name === name);
    if (node === undefined) continue;
    try {
      return await readFrom(node, files, signal);
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new SalvorError(
    'HostUnreachable',
    `${cluster.name}: etcd's client certificate can't be read from any node, and etcd.tls is not set: ${reasons.join('; ')}`,
  );
}

async function readFrom(node: ClusterNode, files: Files, signal: AbortSignal): Promise<Pem> {
  const host = hostFor(node);
  try {
    const read = async (path: string) => {
      const text = await host.readText(path, signal);
      if (text !== undefined) return Buffer.from(text);
      throw new SalvorError('UnsafeState', `${node.name}: there is no ${path}`);
    };
    const [ca, cert, key] = await Promise.all([read(files.ca), read(files.cert), read(files.key)]);
    return { ca, cert, key, where: `${dirname(files.cert)} of a node` };
  } finally {
    await host.close();
  }
}
