/** Looks at every member of a cluster. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import { messageOf } from '../../domain/errors.ts';
import { answering, type MemberInspection } from '../../domain/members.ts';
import { openMember } from './client.ts';
import type { Member, MemberEndpoint } from './member.ts';

/** How a member of the configuration is reached. */
export function endpointOf(cluster: Cluster, node: ClusterNode): MemberEndpoint {
  return { node: node.name, clientUrl: node.etcd.clientUrl, ...(cluster.etcdTls && { tls: cluster.etcdTls }) };
}

/** Opens a member for one piece of work, and closes it after. */
export async function withMember<T>(endpoint: MemberEndpoint, work: (member: Member) => Promise<T>): Promise<T> {
  const member = await openMember(endpoint);
  try {
    return await work(member);
  } finally {
    member.close();
  }
}

/** What each member says; one that does not answer is part of the result. All are asked for the hash of one common revision. */
export async function inspectMembers(cluster: Cluster, signal: AbortSignal): Promise<MemberInspection[]> {
  const statuses = await Promise.all(cluster.nodes.map(async (node) => await inspectStatus(cluster, node, signal)));
  const revisions = answering(statuses).map(({ status }) => BigInt(status.revision));
  if (revisions.length === 0) return statuses;
  const common = revisions.reduce((lowest, revision) => (revision < lowest ? revision : lowest));
  return await Promise.all(
    statuses.map(async (inspection) => {
      if (inspection.status === undefined) return inspection;
      const endpoint = {
        node: inspection.node,
        clientUrl: inspection.clientUrl,
        ...(cluster.etcdTls && { tls: cluster.etcdTls }),
      };
      try {
        const hashKv = await withMember(endpoint, async (member) => await member.hashKv(signal, common.toString()));
        return { ...inspection, hashKv };
      } catch {
        // Compacted past that revision meanwhile: it can't be compared this time.
        signal.throwIfAborted();
        return inspection;
      }
    }),
  );
}

async function inspectStatus(cluster: Cluster, node: ClusterNode, signal: AbortSignal): Promise<MemberInspection> {
  const place = { node: node.name, address: node.address, clientUrl: node.etcd.clientUrl };
  try {
    return await withMember(endpointOf(cluster, node), async (member) => {
      const [status, alarms] = await Promise.all([member.status(signal), member.alarms(signal).catch(() => [])]);
      return { ...place, status, alarms: alarms.map(({ memberId, alarm }) => `${alarm} (member ${memberId})`) };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { ...place, error: messageOf(error) };
  }
}
