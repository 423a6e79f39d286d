/** What all members say of themselves and of each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { nodeOf } from '../../domain/configuration/nodes.ts';
import { answering, type ListedMember } from '../../domain/members.ts';
import type { MemberSurvey } from '../../domain/member-table.ts';
import { endpointOf, inspectMembers, withMember } from './inspect.ts';

/** An election takes a second or two; what is seen meanwhile says nothing of the members. */
const ELECTION_MS = 8_000;
const PAUSE_MS = 500;

/** Asks every member of the configuration, and those that only etcd's own list has. */
export async function surveyMembers(cluster: Cluster, signal: AbortSignal): Promise<MemberSurvey> {
  const endMs = Date.now() + ELECTION_MS;
  for (;;) {
    const members = await inspectMembers(cluster, signal);
    const up = answering(members);
    const isElecting = up.length * 2 > members.length && up.every(({ status }) => status.leaderId === '0');
    if (isElecting && Date.now() < endMs) {
      await sleep(PAUSE_MS, undefined, { signal });
      continue;
    }
    // A learner gives no list, and who has no leader may have an old one.
    const askable = up
      .filter(({ status }) => !status.isLearner)
      .sort((a, b) => Number(a.status.leaderId === '0') - Number(b.status.leaderId === '0'));
    const [first] = askable;
    if (first === undefined) return { members, listed: null, clusterId: null, answeringElsewhere: [] };
    const { clusterId } = majority(askable.map(({ status }) => status.clusterId), first.status);
    const source = askable.find(({ status }) => status.clusterId === clusterId) ?? first;
    const endpoint = endpointOf(cluster, nodeOf(cluster.nodes, source.node));
    const listed = await withMember(endpoint, async (member) => await member.members(signal));
    const known = new Set(up.filter(({ status }) => status.clusterId === clusterId).map(({ status }) => status.memberId));
    const others = listed.filter(({ id }) => !known.has(id));
    const answers = await Promise.all(others.map(async (member) => await answersAtItsOwn(cluster, member, signal)));
    return { members, listed, clusterId, answeringElsewhere: others.filter((_, index) => answers[index]).map(({ id }) => id) };
  }
}

/** The cluster that most members are in: one that was begun anew by mistake is alone. */
function majority(clusterIds: string[], first: { clusterId: string }): { clusterId: string } {
  const counts = Map.groupBy(clusterIds, (id) => id);
  const [best] = [...counts.entries()].sort((a, b) => b[1].length - a[1].length);
  return { clusterId: best?.[0] ?? first.clusterId };
}

/** Whether a member answers at an address that etcd's list has for it, and as itself. */
async function answersAtItsOwn(cluster: Cluster, { id, clientUrls, name }: ListedMember, signal: AbortSignal): Promise<boolean> {
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
