/** Lists a cluster's etcd members: what goes in and what comes out. */
import type { MemberEntry, Quorum } from '../members/member-entry.ts';

export interface ListMembersInput {
  cluster: string;
}

export interface ListMembersReport {
  cluster: string;
  /** Null when no member answers; then nothing is known of the votes either. */
  clusterId: string | null;
  quorum: Quorum | null;
  members: MemberEntry[];
}
