/** Looks at every member of a cluster. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { nodeOf } from '../../domain/nodes.ts';
import { messageOf } from '../../domain/errors.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { answering, hashGroups, type MemberInspection } from '../../domain/members/members.ts';
import { openMember } from './client.ts';
import type { Member, MemberEndpoint } from './member.ts';
import { nodeCredentials } from './node-credentials.ts';

/** How to reach a member of the configuration. */
export function endpointOf(cluster: Cluster, node: ClusterNode): MemberEndpoint {
  const place = { node: node.name, clientUrl: node.etcd.clientUrl };
  if (cluster.etcdTls) return { ...place, tls: cluster.etcdTls };
  const { clientCertificate } = traitsOf(cluster.flavour).etcd;
  if (clientCertificate === null) return place;
  return { ...place, readTls: async () => await nodeCredentials(cluster, clientCertificate) };
}

/** Opens a member for one piece of work, and closes it afterwards. */
export async function withMember<T>(endpoint: MemberEndpoint, work: (member: Member) => Promise<T>): Promise<T> {
  const member = await openMember(endpoint);
  try {
    return await work(member);
  } finally {
    member.close();
  }
}

/**
 * A compaction between the question and the answer makes a comparison impossible. It can happen now and then, but not
 * three times in a row.
 */
const COMPARISONS = 3;

/**
 * What each member reports; a member that does not answer is part of the result. All are asked for the hash of one
 * common revision.
 */
export async function inspectMembers(cluster: Cluster, signal: AbortSignal): Promise<MemberInspection[]> {
  for (let comparison = 1; ; comparison += 1) {
    const statuses = await inspectStatuses(cluster, cluster.nodes, signal);
    const revisions = answering(statuses).map(({ status }) => BigInt(status.revision));
    if (revisions.length === 0) return statuses;
    const common = revisions.reduce((lowest, revision) => (revision < lowest ? revision : lowest)).toString();
    const members = await Promise.all(
      statuses.map(async (inspection) => await withHash(cluster, inspection, common, signal)),
    );
    if (comparison === COMPARISONS || hashGroups(members).flat().length === revisions.length) return members;
  }
}

/**
 * Asks the members of some nodes in the same way, without hashes.
 * @param timeoutMs how long to wait for a member; default 5,000
 */
export async function inspectStatuses(
  cluster: Cluster,
  nodes: ClusterNode[],
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<MemberInspection[]> {
  return await Promise.all(nodes.map(async (node) => await inspectStatus(cluster, node, signal, timeoutMs)));
}

async function withHash(
  cluster: Cluster,
  inspection: MemberInspection,
  revision: string,
  signal: AbortSignal,
): Promise<MemberInspection> {
  if (inspection.status === undefined) return inspection;
  try {
    const endpoint = endpointOf(cluster, nodeOf(cluster.nodes, inspection.node));
    const hashKv = await withMember(endpoint, async (member) => await member.hashKv(signal, revision));
    return { ...inspection, hashKv };
  } catch (error) {
    signal.throwIfAborted();
    return { ...inspection, hashError: messageOf(error) };
  }
}

async function inspectStatus(
  cluster: Cluster,
  node: ClusterNode,
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<MemberInspection> {
  const place = { node: node.name, address: node.address, clientUrl: node.etcd.clientUrl };
  try {
    return await withMember(endpointOf(cluster, node), async (member) => {
      const [status, alarms] = await Promise.all([
        member.status(signal, timeoutMs),
        member.alarms(signal, timeoutMs).catch(() => []),
      ]);
      return { ...place, status, alarms: alarms.map(({ memberId, alarm }) => `${alarm} (member ${memberId})`) };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { ...place, error: messageOf(error) };
  }
}
