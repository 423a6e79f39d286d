/** The operation that lists a cluster's etcd members: its input, its report and its row. */
import { isName } from '../input.ts';
import type { MemberEntry, Quorum } from '../members/member-entry.ts';
import type { OperationRow } from './row.ts';

export interface ListMembersInput {
  cluster: string;
}

export interface ListMembersReport {
  cluster: string;
  /** Null when no member answers; the votes are then unknown as well. */
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
