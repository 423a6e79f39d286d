/** Inspects the etcd members. */
import { endpointOf, inspectMembers, inspectStatuses, withMember } from '../adapters/etcd/inspect.ts';
import { endMutualWaits } from '../adapters/etcd/mutual-waits.ts';
import type { ClusterNode } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { SalvorError } from '../domain/errors.ts';
import {
  answering,
  chooseMember,
  hashGroups,
  type ListedMember,
  type MemberInspection,
  membersApart,
} from '../domain/members/members.ts';
import { problemsOfFormer, problemsOfRestored } from '../domain/restore/restored.ts';
import { attended } from './attend.ts';

export interface SourceWish {
  cluster: Cluster;
  avoid?: string[];
  apart?: { node: string; memberId: string | null };
}

/** A member that was just started answers at once or not at all. For slow ones the time grows every few attempts. */
function answerMs(attempt: number): number {
  return 1_000 * Math.min(Math.ceil(attempt / 5), 5);
}

export function createMemberActivities() {
  return {
    inspectMembers: attended(async ({ cluster }: { cluster: Cluster }, { signal }): Promise<MemberInspection[]> => {
      return await inspectMembers(cluster, signal);
    }),

    /**
     * Inspects the members and chooses the one that a backup reads.
     * @param apart a member that is about to be removed: it is not read, and what it says doesn't count
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

    /**
     * The gate after a rollback: the members that answered before answer again, in the old cluster. Retried until it
     * holds.
     */
    checkFormerMembers: attended(
      async (
        { cluster, nodes, clusterId }: { cluster: Cluster; nodes: string[]; clusterId: string },
        { signal, attempt },
      ) => {
        const former = cluster.nodes.filter(({ name }) => nodes.includes(name));
        const members = await askOrWake(cluster, former, attempt, signal);
        const problems = problemsOfFormer(members, clusterId);
        if (problems.length > 0)
          throw new SalvorError('MemberUnreachable', `the former members are not back: ${problems.join('; ')}`);
        return { clusterId, members: members.length };
      },
    ),

    /**
     * The gate after a restore: every member answers, and all are in one new cluster with one leader, the same keys, no
     * alarm, and a revision at or above the planned one. Retried until it holds.
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
        await askOrWake(cluster, cluster.nodes, attempt, signal);
        const members = await inspectMembers(cluster, signal);
        const listed = await listMembers(cluster, signal);
        const expected = { members: cluster.nodes.length, revisionFloor, oldClusterId };
        const problems = problemsOfRestored(members, listed.length, expected);
        const [first] = answering(members);
        if (problems.length > 0 || first === undefined)
          throw new SalvorError('MemberUnreachable', `the restored members are not ready: ${problems.join('; ')}`);
        const { clusterId, revision } = first.status;
        return { clusterId, revision, members: members.length, hash: first.hashKv?.hash ?? '' };
      },
    ),
  };
}

/**
 * Returns the members once all of them answer. Silent members may be waiting for each other; the requests on which they
 * wait are ended. This comes before any comparison, which takes seconds per gigabyte.
 * @throws SalvorError `MemberUnreachable`, which names the silent members
 */
async function askOrWake(cluster: Cluster, nodes: ClusterNode[], attempt: number, signal: AbortSignal) {
  const members = await inspectStatuses(cluster, nodes, signal, answerMs(attempt));
  const silent = members.filter(({ status }) => status === undefined);
  if (silent.length === 0) return answering(members);
  await endMutualWaits(
    cluster,
    silent.map(({ node }) => node),
    signal,
  );
  const reasons = silent.map(({ node, error }) => `${node}: ${error ?? 'no answer'}`);
  throw new SalvorError(
    'MemberUnreachable',
    `expected ${nodes.length} members, ${nodes.length - silent.length} answer; ${reasons.join('; ')}`,
  );
}

async function listMembers(cluster: Cluster, signal: AbortSignal): Promise<ListedMember[]> {
  const [node] = cluster.nodes;
  if (node === undefined) return [];
  return await withMember(endpointOf(cluster, node), async (member) => await member.members(signal));
}
