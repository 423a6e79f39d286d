/** What all members report about themselves and each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { nodeOf } from '../../domain/nodes.ts';
import { answering, type ListedMember } from '../../domain/members/members.ts';
import type { MemberSurvey } from '../../domain/members/member-table.ts';
import { endpointOf, inspectMembers, withMember } from './inspect.ts';

/** An election takes a second or two; anything seen during one says nothing about the members. */
const ELECTION_MS = 8_000;
const PAUSE_MS = 500;

/** Asks every member in the configuration, and those that are only in etcd's own list. */
export async function surveyMembers(cluster: Cluster, signal: AbortSignal): Promise<MemberSurvey> {
  const endMs = Date.now() + ELECTION_MS;
  for (;;) {
    const members = await inspectMembers(cluster, signal);
    const up = answering(members);
    const leaders = new Set(up.map(({ status }) => status.leaderId));
    if ((leaders.size > 1 || leaders.has('0')) && up.length * 2 > members.length && Date.now() < endMs) {
      await sleep(PAUSE_MS, undefined, { signal });
      continue;
    }
    // A learner returns no list.
    const source = ofTheMost(up.filter(({ status }) => !status.isLearner));
    if (source === undefined) return { members, listed: null, clusterId: null, leaderId: null, answeringElsewhere: [] };
    const { clusterId, leaderId } = source.status;
    const endpoint = endpointOf(cluster, nodeOf(cluster.nodes, source.node));
    const listed = await withMember(endpoint, async (member) => await member.members(signal));
    const known = new Set(
      up.filter(({ status }) => status.clusterId === clusterId).map(({ status }) => status.memberId),
    );
    const others = listed.filter(({ id }) => !known.has(id));
    const answers = await Promise.all(others.map(async (member) => await answersAtItsOwn(cluster, member, signal)));
    return {
      members,
      listed,
      clusterId,
      leaderId: leaderId === '0' ? null : leaderId,
      answeringElsewhere: others.filter((_, index) => answers[index]).map(({ id }) => id),
    };
  }
}

/**
 * Whether a member belongs to the cluster and follows the leader that most members name. A member that was started
 * afresh by mistake is alone, even under its old IDs.
 */
function ofTheMost<M extends { status: { clusterId: string; leaderId: string } }>(members: M[]): M | undefined {
  const groups = [...Map.groupBy(members, ({ status }) => `${status.clusterId} ${status.leaderId}`).values()];
  const isLed = ([first]: M[]) => Number(first !== undefined && first.status.leaderId !== '0');
  return groups.sort((a, b) => isLed(b) - isLed(a) || b.length - a.length)[0]?.[0];
}

/** Whether a member answers with its own ID at an address that etcd's list has for it. */
async function answersAtItsOwn(
  cluster: Cluster,
  { id, clientUrls, name }: ListedMember,
  signal: AbortSignal,
): Promise<boolean> {
  const [node] = cluster.nodes;
  if (node === undefined) return false;
  for (const clientUrl of clientUrls) {
    const endpoint = { ...endpointOf(cluster, node), node: name, clientUrl };
    try {
      const status = await withMember(endpoint, async (member) => await member.status(signal));
      if (status.memberId === id && status.leaderId !== '0') return true;
    } catch {
      signal.throwIfAborted();
    }
  }
  return false;
}
