/** Changes a cluster's members. Each function checks first, so a repetition changes nothing. */
import { nodeOf } from '../../domain/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { ListedMember } from '../../domain/members/members.ts';
import { withAnyMember } from './any-member.ts';
import { endpointOf, withMember } from './inspect.ts';
import type { Member } from './member.ts';
import { surveyMembers } from './survey.ts';

export interface ByWayOf {
  cluster: Cluster;
  /** Nodes of healthy voting members; the first that answers is asked. */
  through: string[];
}

async function byAny<T>({ cluster, through }: ByWayOf, signal: AbortSignal, work: (member: Member) => Promise<T>) {
  return await withAnyMember(cluster, through, signal, work);
}

async function agreedMembers(order: ByWayOf, signal: AbortSignal): Promise<ListedMember[]> {
  return await byAny(order, signal, async (member) => await member.members(signal, { agreed: true }));
}

/** A leader that is to be removed hands over first, so that no write waits for an election. */
export async function moveLeaderAway(order: ByWayOf & { memberId: string }, signal: AbortSignal) {
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
}

/**
 * Removes a member, waits until every healthy member no longer lists it, and clears its alarm, which would otherwise
 * still block writes. It waits as long as the removal would put quorum at risk.
 */
export async function removeMember(order: ByWayOf & { memberId: string }, signal: AbortSignal) {
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
    throw new SalvorError('MemberUnreachable', `${name} still lists member ${memberId}`);
  }
  const cleared = await byAny(order, signal, async (member) => {
    const raised = (await member.alarms(signal)).filter((alarm) => alarm.memberId === memberId);
    for (const { alarm } of raised) await member.clearAlarm(signal, memberId, alarm);
    return raised.map(({ alarm }) => alarm);
  });
  const members = (await agreedMembers(order, signal)).length;
  return { changed, members, cleared };
}

/** Adds the new member as a learner: it gets the data and has no vote. */
export async function addLearner(order: ByWayOf & { peerUrl: string }, signal: AbortSignal) {
  const there = (await agreedMembers(order, signal)).find(({ peerUrls }) => peerUrls.includes(order.peerUrl));
  const memberId =
    there?.id ?? (await byAny(order, signal, async (member) => await member.addLearner(signal, order.peerUrl)));
  return { memberId, changed: there === undefined, members: await agreedMembers(order, signal) };
}

/** Gives the learner its vote. */
export async function promoteMember(order: ByWayOf & { memberId: string }, signal: AbortSignal) {
  const member = (await agreedMembers(order, signal)).find(({ id }) => id === order.memberId);
  if (member === undefined) {
    throw new SalvorError('UnsafeState', `etcd no longer has member ${order.memberId}; something else has removed it`);
  }
  if (!member.isLearner) return { changed: false };
  await byAny(order, signal, async (asked) => await asked.promoteMember(signal, order.memberId));
  return { changed: true };
}

/**
 * Checks that a node has joined the cluster by itself.
 * @throws SalvorError `UnsafeState` with the instruction when it hasn't
 */
export async function checkJoined(order: ByWayOf & { node: string; instruction: string }, signal: AbortSignal) {
  const { peerUrl } = nodeOf(order.cluster.nodes, order.node).etcd;
  const member = (await agreedMembers(order, signal)).find(({ peerUrls }) => peerUrls.includes(peerUrl));
  if (member !== undefined && !member.isLearner && member.name !== '') return { memberId: member.id };
  throw new SalvorError(
    'UnsafeState',
    member === undefined
      ? order.instruction
      : `${order.node} has been added and does not vote yet; ${order.instruction}`,
  );
}

async function refuseUnlessSpared({ cluster, through }: ByWayOf, signal: AbortSignal): Promise<void> {
  const { members } = await surveyMembers(cluster, signal);
  const lost = through.filter((name) => {
    const status = members.find(({ node }) => node === name)?.status;
    return status === undefined || status.leaderId === '0';
  });
  if (lost.length === 0) return;
  throw new SalvorError(
    'MemberUnreachable',
    `nothing is removed while ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} not healthy: every remaining member must be healthy`,
  );
}
