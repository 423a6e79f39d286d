/** Compares the members of a cluster, and chooses the one that a backup reads. Pure. */
import { SalvorError } from '../errors.ts';

export interface MemberInspection {
  node: string;
  address: string;
  clientUrl: string;
  /** Why the member did not answer; everything below is then absent. */
  error?: string;
  status?: {
    clusterId: string;
    memberId: string;
    version: string;
    revision: string;
    raftIndex: string;
    leaderId: string;
    isLearner: boolean;
    dbSizeBytes: number;
    dbSizeInUseBytes: number;
    errors: string[];
  };
  alarms?: string[];
  /** At the same revision for all members. */
  hashKv?: { revision: string; compactRevision: string; hash: string };
  /** Why it gave no hash. */
  hashError?: string;
}

/** A member as etcd's member list has it. */
export interface ListedMember {
  id: string;
  /** Empty while the member has not started. */
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  isLearner: boolean;
}

/** The members that answered. */
export function answering(
  members: MemberInspection[],
): (MemberInspection & Required<Pick<MemberInspection, 'status'>>)[] {
  return members.flatMap((member) => (member.status === undefined ? [] : [{ ...member, status: member.status }]));
}

/**
 * The groups of members with the same keys, the largest group first. Members that were compacted at different revisions
 * can't be compared: only those of the most common compaction are included.
 */
export function hashGroups(members: MemberInspection[]): string[][] {
  const compactions = new Map<string, Map<string, string[]>>();
  for (const { node, hashKv } of members) {
    if (hashKv === undefined) continue;
    const groups = compactions.get(hashKv.compactRevision) ?? new Map<string, string[]>();
    groups.set(hashKv.hash, [...(groups.get(hashKv.hash) ?? []), node]);
    compactions.set(hashKv.compactRevision, groups);
  }
  const largest = [...compactions.values()].sort((a, b) => count(b) - count(a))[0];
  return [...(largest?.values() ?? [])].sort((a, b) => b.length - a.length);
}

function count(groups: Map<string, string[]>): number {
  return [...groups.values()].flat().length;
}

/** The members except one, without the alarms that etcd has raised for that one, because its data is not used. */
export function membersApart(
  members: MemberInspection[],
  apart: { node: string | null; memberId: string | null },
): MemberInspection[] {
  const { memberId } = apart;
  return members
    .filter(({ node }) => node !== apart.node)
    .map((member) => ({
      ...member,
      ...(member.alarms && { alarms: member.alarms.filter((alarm) => !alarm.endsWith(`(member ${memberId})`)) }),
      ...(member.status && {
        // etcd reports it as `memberID:123 alarm:CORRUPT`.
        status: {
          ...member.status,
          errors: member.status.errors.filter((text) => !text.startsWith(`memberID:${memberId} `)),
        },
      }),
    }));
}

/**
 * The member that a backup reads: healthy, not a learner, preferably a follower, and the most advanced of these.
 * @param avoid nodes whose streams broke, as the last choice
 * @throws SalvorError `NoHealthyMember`, `AlarmRaised` or `MembersDisagree`, with what each member reported;
 * `MemberUnreachable` for a problem that may go away by itself
 */
export function chooseMember(
  members: MemberInspection[],
  avoid: readonly string[] = [],
): MemberInspection & Required<Pick<MemberInspection, 'status'>> {
  const silent = members.filter((member) => member.status === undefined);
  const alarms = [...new Set(members.flatMap((member) => member.alarms ?? []))];
  if (alarms.length > 0) {
    throw new SalvorError(
      'AlarmRaised',
      `etcd has raised ${alarms.join(', ')}; a backup now could be of a damaged or read-only database. Resolve it (\`etcdctl alarm list\`), then back up again`,
    );
  }
  const clusterIds = new Set(answering(members).map((member) => member.status.clusterId));
  if (clusterIds.size > 1) {
    const seen = answering(members).map((member) => `${member.node}: cluster ${member.status.clusterId}`);
    throw new SalvorError(
      'MembersDisagree',
      `the members belong to different etcd clusters (${seen.join('; ')}); check the client URLs in the configuration`,
    );
  }
  const groups = hashGroups(members);
  if (groups.length > 1) {
    throw new SalvorError(
      'MembersDisagree',
      `the members hold different keys at the same revision: ${groups.map((group) => group.join('+')).join(' against ')}. Nothing is read from them; replace the member that differs`,
    );
  }
  refuseUncompared(members, groups.flat());
  const healthy = answering(members).filter(
    ({ status }) => status.leaderId !== '0' && !status.isLearner && status.errors.length === 0,
  );
  const [best] = healthy.sort(
    (a, b) =>
      Number(avoid.includes(a.node)) - Number(avoid.includes(b.node)) ||
      Number(isLeader(a)) - Number(isLeader(b)) ||
      Number(BigInt(b.status.revision) - BigInt(a.status.revision)) ||
      a.node.localeCompare(b.node),
  );
  if (best) return best;
  const reasons = [
    ...silent.map(({ node, error }) => `${node}: ${error ?? 'no answer'}`),
    ...answering(members).map(({ node, status }) => `${node}: ${unhealthyBecause(status)}`),
  ];
  const up = answering(members);
  if (up.length > members.length / 2 && up.every(({ status }) => status.leaderId === '0')) {
    throw new SalvorError(
      'MemberUnreachable',
      `${up.length} of ${members.length} members answer and none knows a leader: they are electing one, or don't reach each other (${reasons.join('; ')})`,
    );
  }
  throw new SalvorError('NoHealthyMember', `no healthy etcd member can be read (${reasons.join('; ')})`);
}

/**
 * Refuses members that were not compared, because they may disagree. A member that lags or is being compacted can be
 * compared a moment later.
 */
function refuseUncompared(members: MemberInspection[], compared: string[]): void {
  const left = answering(members).filter(({ node }) => !compared.includes(node));
  if (left.length === 0) return;
  const reasons = left.map(({ node, hashKv, hashError }) =>
    hashKv === undefined
      ? `${node}: ${hashError ?? 'no hash'}`
      : `${node}: compacted at revision ${hashKv.compactRevision}`,
  );
  throw new SalvorError(
    'MemberUnreachable',
    `the keys of these members could not be compared with the others' at one revision: ${reasons.join('; ')}; nothing is read before they are`,
  );
}

function isLeader({ status }: Required<Pick<MemberInspection, 'status'>>): boolean {
  return status.memberId === status.leaderId;
}

function unhealthyBecause(status: NonNullable<MemberInspection['status']>): string {
  if (status.leaderId === '0') return 'has no leader (quorum is lost)';
  if (status.isLearner) return 'is a learner';
  return status.errors.join(', ');
}
