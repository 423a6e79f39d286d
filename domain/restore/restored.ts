/** Checks the members after a restore or its rollback. Pure. */
import { answering, hashGroups, type MemberInspection } from '../members/members.ts';

export interface ExpectedCluster {
  /** The number of members. */
  members: number;
  /** Decimal; no client has seen a higher revision. */
  revisionFloor: string;
  /** Null when it isn't known; the cluster IDs are then not compared. */
  oldClusterId: string | null;
}

/**
 * The problems of a restored cluster. It must be one new cluster with one leader, in which every member answers, has
 * the same keys and no alarm, and is at or above the revision floor.
 * @param listed the number of members in etcd's own list
 * @returns one text per problem; empty when the cluster is as it should be
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

/** The problems after a rollback: every member that answered before must be back in the old cluster, with a leader. */
export function problemsOfFormer(members: MemberInspection[], clusterId: string): string[] {
  return answering(members).flatMap(({ node, status }) => {
    if (status.clusterId !== clusterId) return [`${node} is in cluster ${status.clusterId}, expected ${clusterId}`];
    return status.leaderId === '0' ? [`${node} has no leader`] : [];
  });
}
