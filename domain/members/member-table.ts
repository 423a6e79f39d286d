/** Turns what members and nodes report into one entry per member: its state, and what is wrong with it. Pure. */
import type { ClusterNode } from '../configuration/nodes.ts';
import { answering, hashGroups, type ListedMember, type MemberInspection } from './members.ts';
import type { MemberEntry, MemberState, Quorum } from './member-entry.ts';

/** What the members of a cluster report about themselves and about each other. */
export interface MemberSurvey {
  /** One per node of the configuration. */
  members: MemberInspection[];
  /** The member list of a member that has a leader, or else of any member; null when no member answers. */
  listed: ListedMember[] | null;
  /** The cluster that this list belongs to. */
  clusterId: string | null;
  /** The leader that most members name; null while there is no leader. */
  leaderId: string | null;
  /** IDs of members that answer at their address in the list, and not at an address of the configuration. */
  answeringElsewhere: string[];
}

/** The state of the etcd process on a node. */
export interface ProcessSeen {
  node: string;
  process: 'running' | 'stopped' | 'crash-looping' | 'unreachable';
  seen: string;
}

/** The nodes in the order of the configuration, followed by the members that belong to no node. */
export function memberTable(nodes: ClusterNode[], survey: MemberSurvey, processes: ProcessSeen[]): MemberEntry[] {
  const left = new Set(survey.listed);
  const matches = matchNodes(nodes, survey);
  const entries = nodes.map((node) => {
    const listed = matches.get(node.name);
    if (listed) left.delete(listed);
    const inspection = survey.members.find((member) => member.node === node.name);
    const process = processes.find((seen) => seen.node === node.name);
    return entryOf(node, listed, inspection, process, survey);
  });
  return [...entries, ...[...left].map((member) => entryWithoutNode(member, survey))];
}

/** Counts the votes; null when no member reports who has a vote. */
export function quorumOf({ listed }: MemberSurvey, entries: MemberEntry[]): Quorum | null {
  if (listed === null) return null;
  const voters = listed.filter(({ isLearner }) => !isLearner);
  const up = entries.filter((entry) => voters.some(({ id }) => id === entry.id) && hasVote(entry));
  return { voters: voters.length, needed: Math.floor(voters.length / 2) + 1, up: up.length };
}

/** Whether a voting member can vote at the moment, whatever else is wrong with it. */
function hasVote({ state, role }: MemberEntry): boolean {
  return state === 'healthy' || state === 'unknown' || (role !== null && (state === 'corrupt' || state === 'moved'));
}

/** The member of each node: by its ID when it answers, else by its address, else by its name. */
function matchNodes(nodes: ClusterNode[], { listed, members, clusterId }: MemberSurvey): Map<string, ListedMember> {
  const matches = new Map<string, ListedMember>();
  const taken = new Set<ListedMember>();
  const ways: ((node: ClusterNode, member: ListedMember) => boolean)[] = [
    (node, { id }) =>
      members.some(
        ({ node: name, status }) => name === node.name && status?.memberId === id && status.clusterId === clusterId,
      ),
    ({ etcd }, { peerUrls }) => peerUrls.includes(etcd.peerUrl),
    ({ etcd }, { name }) => name === etcd.memberName,
  ];
  for (const fits of ways) {
    for (const node of nodes) {
      if (matches.has(node.name)) continue;
      const match = listed?.find((member) => !taken.has(member) && fits(node, member));
      if (match === undefined) continue;
      matches.set(node.name, match);
      taken.add(match);
    }
  }
  return matches;
}

function entryOf(
  node: ClusterNode,
  listed: ListedMember | undefined,
  inspection: MemberInspection | undefined,
  process: ProcessSeen | undefined,
  survey: MemberSurvey,
): MemberEntry {
  const status = inspection?.status;
  const hash = hashOf(node.name, survey.members);
  const [state, seen] = stateOf(node, listed, inspection, process, survey);
  const mostAdvanced = answering(survey.members)
    .filter((member) => member.status.clusterId === survey.clusterId)
    .reduce((most, member) => Math.max(most, Number(member.status.raftIndex)), 0);
  return {
    node: node.name,
    name: listed?.name || node.etcd.memberName,
    id: listed?.id ?? null,
    peerUrls: listed?.peerUrls ?? [],
    state,
    seen,
    role: status === undefined || state === 'astray' ? elsewhereRole(listed, survey) : roleOf(status),
    version: status?.version ?? null,
    revision: status?.revision ?? null,
    dbSizeBytes: status?.dbSizeBytes ?? null,
    dbSizeInUseBytes: status?.dbSizeInUseBytes ?? null,
    raftLag: status === undefined || state === 'astray' ? null : Math.max(0, mostAdvanced - Number(status.raftIndex)),
    alarms: alarmsOf(listed?.id, survey.members),
    hash,
  };
}

function roleOf(status: NonNullable<MemberInspection['status']>): MemberEntry['role'] {
  if (status.isLearner) return 'learner';
  return status.memberId === status.leaderId ? 'leader' : 'follower';
}

function elsewhereRole(listed: ListedMember | undefined, survey: MemberSurvey): MemberEntry['role'] {
  if (listed === undefined || !survey.answeringElsewhere.includes(listed.id)) return null;
  if (listed.isLearner) return 'learner';
  return survey.leaderId === listed.id ? 'leader' : 'follower';
}

function stateOf(
  node: ClusterNode,
  listed: ListedMember | undefined,
  inspection: MemberInspection | undefined,
  process: ProcessSeen | undefined,
  survey: MemberSurvey,
): [MemberState, string] {
  const status = inspection?.status;
  if (survey.listed !== null && listed === undefined) {
    if (status !== undefined)
      return ['astray', `it answers as a member of cluster ${status.clusterId}, not of this one`];
    return ['missing', `etcd has no member at ${node.etcd.peerUrl}`];
  }
  if (status === undefined) return silentState(node, listed, inspection, process, survey);
  if (status.clusterId !== survey.clusterId || (listed !== undefined && status.memberId !== listed.id)) {
    return ['astray', `it answers as member ${status.memberId} of cluster ${status.clusterId}`];
  }
  if (status.isLearner) return ['learner', 'it answers, and was never promoted'];
  const alarms = alarmsOf(status.memberId, survey.members);
  if (alarms.includes('CORRUPT')) return ['corrupt', 'etcd has raised the CORRUPT alarm for it'];
  if (hashOf(node.name, survey.members) === 'differs') {
    return ['corrupt', `its HashKV at revision ${inspection?.hashKv?.revision ?? '?'} is not that of the majority`];
  }
  if (survey.leaderId !== null && status.leaderId !== '0' && status.leaderId !== survey.leaderId) {
    // One whose data was destroyed may have begun anew under its old IDs.
    return ['astray', `it follows member ${status.leaderId}, the others ${survey.leaderId}`];
  }
  if (status.leaderId === '0') return ['leaderless', 'it answers and knows no leader'];
  return ['healthy', roleOf(status) ?? ''];
}

const PROCESS_STATES = {
  running: 'silent',
  stopped: 'stopped',
  'crash-looping': 'crash-looping',
  unreachable: 'node-unreachable',
} as const satisfies Record<ProcessSeen['process'], MemberState>;

function silentState(
  node: ClusterNode,
  listed: ListedMember | undefined,
  inspection: MemberInspection | undefined,
  process: ProcessSeen | undefined,
  survey: MemberSurvey,
): [MemberState, string] {
  const seen = process?.seen ?? inspection?.error ?? 'no answer';
  if (listed !== undefined && !listed.peerUrls.includes(node.etcd.peerUrl)) {
    const there = survey.answeringElsewhere.includes(listed.id) ? 'answers' : "doesn't answer";
    return [
      'moved',
      `etcd has it at ${listed.peerUrls.join(', ')}, where it ${there}; the configuration says ${node.etcd.peerUrl}`,
    ];
  }
  if (listed?.name === '') return ['not-started', `it was added and never started: ${seen}`];
  if (listed?.isLearner) return ['learner', `it was never promoted, and doesn't answer: ${seen}`];
  return [process === undefined ? 'silent' : PROCESS_STATES[process.process], seen];
}

function entryWithoutNode(member: ListedMember, survey: MemberSurvey): MemberEntry {
  const answers = survey.answeringElsewhere.includes(member.id);
  const where = member.peerUrls.join(', ');
  return {
    node: null,
    name: member.name,
    id: member.id,
    peerUrls: member.peerUrls,
    state: answers ? 'unknown' : 'gone',
    seen: `no node of the configuration is at ${where}; ${answers ? 'it answers' : 'nothing answers there'}`,
    role: elsewhereRole(member, survey),
    version: null,
    revision: null,
    dbSizeBytes: null,
    dbSizeInUseBytes: null,
    raftLag: null,
    alarms: alarmsOf(member.id, survey.members),
    hash: null,
  };
}

/** The alarms of one member. Members report them as `CORRUPT (member 123)`. */
function alarmsOf(id: string | undefined, members: MemberInspection[]): string[] {
  const raised = new Set(members.flatMap(({ alarms }) => alarms ?? []));
  return [...raised].flatMap((alarm) => {
    const [, name = '', member] = /^(\w+) \(member (\d+)\)$/.exec(alarm) ?? [];
    return member !== undefined && member === id ? [name] : [];
  });
}

/** Only keys that more than half of the compared members have are certain to be right. */
function hashOf(node: string, members: MemberInspection[]): MemberEntry['hash'] {
  const groups = hashGroups(members);
  const own = groups.find((group) => group.includes(node));
  if (own === undefined) return null;
  return own.length * 2 > groups.flat().length ? 'agrees' : 'differs';
}
