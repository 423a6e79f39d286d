/** What is wrong with the members after a restore or its rollback; nothing when the cluster is as it must be. Pure. */
import { answering, hashGroups, type MemberInspection } from '../members/members.ts';

export interface ExpectedCluster {
  /** How many members it has. */
  members: number;
  /** Decimal; clients have seen no higher revision. */
  revisionFloor: string;
  /** Null when it isn't known: then none is compared. */
  oldClusterId: string | null;
}

/**
 * A restored cluster is one new cluster with one leader: every member answers, with the same keys, no alarm, and at or
 * above the revision floor.
 * @param listed how many members etcd's own list has
 */
export function problemsOfRestored(
  members: MemberInspection[],
  listed: number,
  { members: expected, revisionFloor, oldClusterId }: ExpectedCluster,
): string[] {
  const up = answering(members);
  const [first] = up;
  if (up.length < expected || first === undefined) return ['a member that answered is silent again'];
  const { clusterId } = first.status;
  const groups = hashGroups(members);
  return [
    ...(up.some(({ status }) => status.clusterId !== clusterId) ? ['the members have different cluster IDs'] : []),
    ...(clusterId === oldClusterId ? [`the cluster ID is still the old one, ${clusterId}`] : []),
    ...(listed === expected ? [] : [`expected ${expected} members in the list, got ${listed}`]),
    ...up.flatMap(({ node, status, alarms = [], hashKv }) => [
      ...(status.leaderId === '0' ? [`${node} has no leader`] : []),
      ...(BigInt(status.revision) < BigInt(revisionFloor)
        ? [`${node} is at revision ${status.revision}, expected ${revisionFloor} or more`]
        : []),
      ...(alarms.length > 0 ? [`${node} has raised ${alarms.join(', ')}`] : []),
      ...(hashKv === undefined ? [`${node} gives no HashKV`] : []),
    ]),
    ...(groups.length === 1 ? [] : ['the members do not hold the same keys']),
    ...(groups[0]?.length === up.length ? [] : ['not every member could be compared']),
  ];
}

/** After a rollback every member that answered before is back in the old cluster, under a leader. */
export function problemsOfFormer(members: MemberInspection[], clusterId: string): string[] {
  return answering(members).flatMap(({ node, status }) => {
    if (status.clusterId !== clusterId) return [`${node} is in cluster ${status.clusterId}, expected ${clusterId}`];
    return status.leaderId === '0' ? [`${node} has no leader`] : [];
  });
}
