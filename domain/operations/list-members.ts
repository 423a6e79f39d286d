/** Lists a cluster's etcd members: what goes in, what comes out, and what is known of it. */
import { isName } from '../input.ts';
import type { MemberEntry, Quorum } from '../members/member-entry.ts';
import type { OperationRow } from './row.ts';

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

export const LIST_MEMBERS = {
  title: 'List members of',
  effect: 'looks',
  schedulable: false,
  shape: { required: { cluster: isName }, optional: {} },
  subjectOf: ({ cluster }) => cluster,
  endOf: (_report) => 'done',
  steps: [],
} as const satisfies OperationRow<ListMembersInput, ListMembersReport>;
