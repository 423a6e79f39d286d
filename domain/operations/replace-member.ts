/** The operation that replaces an etcd member: its input, its report and its row. */
import type { BackupId } from '../format/keys.ts';
import { isBoolean, isName } from '../input.ts';
import type { MemberEntry, MemberState } from '../members/member-entry.ts';
import { REPLACEMENT_STEPS } from '../members/steps.ts';
import type { OperationRow } from './row.ts';
import type { StepRecord } from './steps.ts';

export interface ReplaceMemberInput {
  cluster: string;
  /** The cluster's name again: a member and its data will be removed from the cluster. */
  confirm: string;
  /** The node whose member is replaced. Default: the only unhealthy member is replaced. */
  node?: string;
  /** Replace the named node's member although nothing is wrong with it. */
  healthy?: boolean;
}

export interface ReplaceMemberReport {
  cluster: string;
  node: string;
  outcome: 'replaced' | 'rolled-back' | 'aborted';
  /** Why it was not replaced; null when it was. */
  problem: string | null;
  /** What was wrong with it. */
  found: { state: MemberState; seen: string };
  /** The member that was removed; null when there was none. */
  removed: { id: string; name: string; peerUrls: string[] } | null;
  /** The ID of the new member; null when none was added. */
  added: string | null;
  before: MemberEntry[];
  /** Null when the cluster no longer answered. */
  after: MemberEntry[] | null;
  /** The backup that was taken first. */
  backup: BackupId;
  /** The old data, configuration and certificates that were moved aside. */
  setAside: { node: string; path: string }[];
  /** What a person still has to do, one sentence each. */
  toDo: string[];
  steps: StepRecord[];
  workflowId: string;
}

export const REPLACE_MEMBER = {
  title: 'Replace a member of',
  effect: 'changes',
  schedulable: false,
  shape: { required: { cluster: isName, confirm: isName }, optional: { node: isName, healthy: isBoolean } },
  subjectOf: ({ cluster }) => cluster,
  endOf: ({ outcome }) => (outcome === 'replaced' ? 'done' : outcome),
  steps: REPLACEMENT_STEPS,
} as const satisfies OperationRow<ReplaceMemberInput, ReplaceMemberReport>;
