/** Replaces an etcd member: what goes in, what comes out, and what is known of it. */
import type { BackupId } from '../format/keys.ts';
import { isBoolean, isName } from '../input.ts';
import type { MemberEntry, MemberState } from '../members/member-entry.ts';
import { REPLACEMENT_STEPS } from '../members/steps.ts';
import type { OperationRow } from './row.ts';
import type { StepRecord } from './steps.ts';

export interface ReplaceMemberInput {
  cluster: string;
  /** The name of the cluster once more: a member and its data are taken out of it. */
  confirm: string;
  /** Without it the one unhealthy member is replaced. */
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
  /** The member that was taken out; null when there was none. */
  removed: { id: string; name: string; peerUrls: string[] } | null;
  /** The ID of the new member; null when it did not come so far. */
  added: string | null;
  before: MemberEntry[];
  /** Null when the cluster did not answer any more. */
  after: MemberEntry[] | null;
  /** What was saved first. */
  backup: BackupId;
  /** Old data, old configuration and old certificates, moved aside. */
  setAside: { node: string; path: string }[];
  /** What is left for a person, a sentence each. */
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
