/** Changing which members a cluster has. Each looks first, and done twice changes nothing the second time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endpointOf, withMember } from '../adapters/etcd/inspect.ts';
import type { Member } from '../adapters/etcd/member.ts';
import { surveyMembers } from '../adapters/etcd/survey.ts';
import { nodeOf } from '../domain/configuration/nodes.ts';
import type { Cluster } from '../domain/configuration/resolve.ts';
import { messageOf, SalvorError } from '../domain/errors.ts';
import type { ListedMember } from '../domain/members/members.ts';
import { memberTable, type MemberSurvey, quorumOf } from '../domain/members/member-table.ts';
import { isInSync } from '../domain/members/replacement.ts';
import { attended } from './attend.ts';

/** How long one look at a learner lasts, so that progress is seen in between. */
const WATCH_MS = 10_000;
const POLL_MS = 500;

export interface ByWayOf {
  cluster: Cluster;
  /** Nodes of healthy voting members; the first that answers is asked. */
  through: string[];
}

/** Does something by the first member that answers. */
async function byAny<T>(
  { cluster, through }: ByWayOf,
  signal: AbortSignal,
  work: (member: Member) => Promise<T>,
): Promise<T> {
  const reasons: string[] = [];
  for (const name of through) {
    try {
      return await withMember(endpointOf(cluster, nodeOf(cluster.nodes, name)), work);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SalvorError) || error.type !== 'MemberUnreachable') throw error;
      reasons.push(error.message);
    }
  }
  throw new SalvorError('MemberUnreachable', reasons.join('; ') || 'there is no member to ask');
}

async function agreedMembers(order: ByWayOf, signal: AbortSignal): Promise<ListedMember[]> {
  return await byAny(order, signal, async (member) => await member.members(signal, { agreed: true }));
}

export function createMembershipActivities() {
  return {
    surveyMembers: attended(async ({ cluster }: { cluster: Cluster }, { signal }): Promise<MemberSurvey> => {
      return await surveyMembers(cluster, signal);
    }),

    /** A leader that is taken out hands over first, so that no write waits for an election. */
    moveLeaderAway: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      const { cluster, through, memberId } = order;
      const { leader, successor } = await byAny(order, signal, async (member) => {
        const { leaderId, memberId: own } = await member.status(signal);
        return { leader: leaderId, successor: own };
      });
      if (leader !== memberId) return { changed: false, leader };
      const listed = (await agreedMembers(order, signal)).find(({ id }) => id === memberId);
      for (const clientUrl of listed?.clientUrls ?? []) {
        const endpoint = {
          ...endpointOf(cluster, nodeOf(cluster.nodes, through[0] ?? '')),
          node: listed?.name ?? '',
          clientUrl,
        };
        await withMember(endpoint, async (member) => await member.moveLeader(signal, successor));
        const now = await byAny(order, signal, async (member) => (await member.status(signal)).leaderId);
        if (now !== memberId && now !== '0') return { changed: true, leader: now };
      }
      throw new SalvorError(
        'MemberUnreachable',
        `member ${memberId} is still the leader, although it was asked to hand over to ${successor}`,
      );
    }),

    /**
     * Takes a member out, waits until every healthy member has it out, and clears the alarm for it, which would go on refusing writes. It waits as long as quorum would be at risk.
     */
    removeMember: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      const { cluster, through, memberId } = order;
      const before = await agreedMembers(order, signal);
      const changed = before.some(({ id }) => id === memberId);
      if (changed) {
        await refuseUnlessSpared(order, signal);
        await byAny(order, signal, async (member) => await member.removeMember(signal, memberId));
      }
      for (const name of through) {
        const endpoint = endpointOf(cluster, nodeOf(cluster.nodes, name));
        const seen = await withMember(endpoint, async (member) => await member.members(signal));
        if (!seen.some(({ id }) => id === memberId)) continue;
        throw new SalvorError('MemberUnreachable', `${name} still has member ${memberId} in its list`);
      }
      const cleared = await byAny(order, signal, async (member) => {
        const raised = (await member.alarms(signal)).filter((alarm) => alarm.memberId === memberId);
        for (const { alarm } of raised) await member.clearAlarm(signal, memberId, alarm);
        return raised.map(({ alarm }) => alarm);
      });
      const members = (await agreedMembers(order, signal)).length;
      return { changed, members, cleared };
    }),

    /** Makes room for the new member: it gets the data and has no vote. */
    addLearner: attended(async (order: ByWayOf & { peerUrl: string }, { signal }) => {
      const there = (await agreedMembers(order, signal)).find(({ peerUrls }) => peerUrls.includes(order.peerUrl));
      const memberId =
        there?.id ?? (await byAny(order, signal, async (member) => await member.addLearner(signal, order.peerUrl)));
      return { memberId, changed: there === undefined, members: await agreedMembers(order, signal) };
    }),

    /** Looks until the learner is in sync, or for ten seconds. */
    watchLearner: attended(async (order: ByWayOf & { node: string }, { signal }) => {
      const endpoint = endpointOf(order.cluster, nodeOf(order.cluster.nodes, order.node));
      const endMs = Date.now() + WATCH_MS;
      for (;;) {
        const leader = await byAny(order, signal, async (member) => {
          // A member that began from a snapshot counts it as applied only with the next entry of the log, and until then, behind by more than 5,000, refuses
          // its own first request (etcd 3.6.16). In a cluster that nobody writes to, this question, which all members agree on, is that entry.
          await member.alarms(signal);
          return await member.status(signal);
        });
        const look = await learnerStatus();
        const seen = {
          index: look.status?.raftIndex ?? '0',
          leaderIndex: leader.raftIndex,
          dbSizeBytes: look.status?.dbSizeBytes ?? 0,
          leaderDbSizeBytes: leader.dbSizeBytes,
          ...(look.problem !== undefined && { problem: look.problem }),
        };
        const isMember = look.status?.clusterId === leader.clusterId;
        if (isMember && isInSync(seen.leaderIndex, seen.index)) return { ...seen, inSync: true };
        if (Date.now() > endMs) return { ...seen, inSync: false };
        await sleep(POLL_MS, undefined, { signal });
      }
      async function learnerStatus() {
        try {
          return { status: await withMember(endpoint, async (member) => await member.status(signal)) };
        } catch (error) {
          signal.throwIfAborted();
          return { problem: messageOf(error) };
        }
      }
    }),

    /** Gives the learner its vote. */
    promoteMember: attended(async (order: ByWayOf & { memberId: string }, { signal }) => {
      const member = (await agreedMembers(order, signal)).find(({ id }) => id === order.memberId);
      if (member === undefined) {
        throw new SalvorError(
          'UnsafeState',
          `etcd has no member ${order.memberId} any more; something else has removed it`,
        );
      }
      if (!member.isLearner) return { changed: false };
      await byAny(order, signal, async (asked) => await asked.promoteMember(signal, order.memberId));
      return { changed: true };
    }),

    /** Whether a node has become a member by itself. Not tried again: it is a person who does something about it. */
    checkJoined: attended(async (order: ByWayOf & { node: string; instruction: string }, { signal }) => {
      const { peerUrl } = nodeOf(order.cluster.nodes, order.node).etcd;
      const member = (await agreedMembers(order, signal)).find(({ peerUrls }) => peerUrls.includes(peerUrl));
      if (member !== undefined && !member.isLearner && member.name !== '') return { memberId: member.id };
      throw new SalvorError(
        'UnsafeState',
        member === undefined ? order.instruction : `${order.node} is added and does not vote yet; ${order.instruction}`,
      );
    }),

    /** The gate at the end: every node of the configuration has a healthy voting member, all with the same keys, and the old one is out. Retried until it holds. */
    checkMembers: attended(async ({ cluster, removed }: { cluster: Cluster; removed: string | null }, { signal }) => {
      const survey = await surveyMembers(cluster, signal);
      const members = memberTable(cluster.nodes, survey, []);
      const problems = members.flatMap((entry) => {
        const who = entry.node ?? entry.name;
        if (entry.id !== null && entry.id === removed) return [`${who} is still in the list`];
        if (entry.node === null) return [];
        if (entry.state !== 'healthy') return [`${who} is ${entry.state}: ${entry.seen}`];
        if (entry.hash === null) return [`${who} could not be compared with the others`];
        return entry.alarms.map((alarm) => `${who} has raised ${alarm}`);
      });
      if (problems.length > 0)
        throw new SalvorError('MemberUnreachable', `the members are not well yet: ${problems.join('; ')}`);
      return { members, quorum: quorumOf(survey, members) };
    }),
  };

  async function refuseUnlessSpared({ cluster, through }: ByWayOf, signal: AbortSignal): Promise<void> {
    const { members } = await surveyMembers(cluster, signal);
    const lost = through.filter((name) => {
      const status = members.find(({ node }) => node === name)?.status;
      return status === undefined || status.leaderId === '0';
    });
    if (lost.length === 0) return;
    throw new SalvorError(
      'MemberUnreachable',
      `nothing is removed while ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} not healthy: the members that stay must be`,
    );
  }
}
