/** What is asked of the etcd members. */
import { inspectMembers, withMember, endpointOf } from '../adapters/etcd/inspect.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import {
  answering,
  chooseMember,
  hashGroups,
  type ListedMember,
  type MemberInspection,
  membersApart,
} from '../domain/members.ts';
import { attended } from './attend.ts';

export interface SourceWish {
  cluster: Cluster;
  avoid?: string[];
  apart?: { node: string; memberId: string | null };
}

const FIRST_ANSWER_MS = 1_000;
const LONGEST_ANSWER_MS = 5_000;

export function createMemberActivities() {
  return {
    inspectMembers: attended(async ({ cluster }: { cluster: Cluster }, { signal }): Promise<MemberInspection[]> => {
      return await inspectMembers(cluster, signal);
    }),

    /**
     * Inspects the members and gives the name of the node that a backup reads.
     * @param apart a member that is about to be taken out: it is neither read nor listened to
     */
    chooseSource: attended(async ({ cluster, avoid, apart }: SourceWish, { signal }) => {
      const inspected = await inspectMembers(cluster, signal);
      const members = apart ? membersApart(inspected, apart) : inspected;
      const { node, status } = chooseMember(members, avoid);
      const groups = hashGroups(members);
      const agreeing = groups[0]?.length ?? 0;
      return {
        node,
        role: status.memberId === status.leaderId ? ('leader' as const) : ('follower' as const),
        revision: status.revision,
        dbSizeBytes: status.dbSizeBytes,
        dbSizeInUseBytes: status.dbSizeInUseBytes,
        answering: answering(members).map((member) => member.node),
        silent: members.filter((member) => member.error !== undefined).map((member) => member.node),
        agreeing,
      };
    }),

    /** The gate after a rollback: who answered before answers again, in the old cluster. Retried until it holds. */
    checkFormerMembers: attended(
      async ({ cluster, nodes, clusterId }: { cluster: Cluster; nodes: string[]; clusterId: string }, { signal }) => {
        const members = (await inspectMembers(cluster, signal)).filter(({ node }) => nodes.includes(node));
        const problems = members.flatMap(({ node, status, error }) => {
          if (status === undefined) return [`${node}: ${error ?? 'no answer'}`];
          if (status.clusterId !== clusterId)
            return [`${node} is in cluster ${status.clusterId}, expected ${clusterId}`];
          return status.leaderId === '0' ? [`${node} has no leader`] : [];
        });
        if (problems.length > 0)
          throw new SalvorError('MemberUnreachable', `the former members are not back: ${problems.join('; ')}`);
        return { clusterId, members: members.length };
      },
    ),

    /**
     * The gate after a restore: every member is there and answers, all in one new cluster with one leader, with the same keys, no alarm,
     * and at or above the revision that was planned. Retried until it holds.
     */
    checkRestoredMembers: attended(
      async (
        {
          cluster,
          revisionFloor,
          oldClusterId,
        }: { cluster: Cluster; revisionFloor: string; oldClusterId: string | null },
        { signal, attempt },
      ) => {
        // One that was just started answers within seconds; to wait long for the first answer is downtime.
        const members = await inspectMembers(cluster, signal, Math.min(attempt * FIRST_ANSWER_MS, LONGEST_ANSWER_MS));
        const up = answering(members);
        const first = up[0];
        if (up.length < cluster.nodes.length || first === undefined) {
          const silent = members
            .filter((member) => member.status === undefined)
            .map(({ node, error }) => `${node}: ${error ?? 'no answer'}`);
          throw new SalvorError(
            'MemberUnreachable',
            `expected ${cluster.nodes.length} members, ${up.length} answer; ${silent.join('; ')}`,
          );
        }
        const listed = await listMembers(cluster, signal);
        const { clusterId, revision } = first.status;
        const problems: string[] = [];
        if (up.some(({ status }) => status.clusterId !== clusterId))
          problems.push('the members have different cluster IDs');
        if (clusterId === oldClusterId) problems.push(`the cluster ID is still the old one, ${clusterId}`);
        if (listed.length !== cluster.nodes.length)
          problems.push(`expected ${cluster.nodes.length} members in the list, got ${listed.length}`);
        for (const { node, status, alarms, hashKv } of up) {
          if (status.leaderId === '0') problems.push(`${node} has no leader`);
          if (BigInt(status.revision) < BigInt(revisionFloor))
            problems.push(`${node} is at revision ${status.revision}, expected ${revisionFloor} or more`);
          if (alarms && alarms.length > 0) problems.push(`${node} has raised ${alarms.join(', ')}`);
          if (hashKv === undefined) problems.push(`${node} gives no HashKV`);
        }
        if (hashGroups(members).length !== 1) problems.push('the members do not hold the same keys');
        if (hashGroups(members)[0]?.length !== up.length) problems.push('not every member could be compared');
        if (problems.length > 0)
          throw new SalvorError('MemberUnreachable', `the restored members are not ready: ${problems.join('; ')}`);
        return { clusterId, revision, members: up.length, hash: first.hashKv?.hash ?? '' };
      },
    ),
  };
}
export type MemberActivities = ReturnType<typeof createMemberActivities>;

async function listMembers(cluster: Cluster, signal: AbortSignal): Promise<ListedMember[]> {
  const [node] = cluster.nodes;
  if (node === undefined) return [];
  return await withMember(endpointOf(cluster, node), async (member) => await member.members(signal));
}
