/** Whether what was prepared still fits the cluster, right before the first component stops. Pure. */
import { answering, type MemberInspection } from '../members/members.ts';
import { presentState, type PlannedNodeState, type RestorePlan } from './plan.ts';
import { overtakenBy } from './revision.ts';

export interface LastLook {
  /** As it was approved. */
  plan: Pick<RestorePlan, 'before'>;
  /** Whether any plan is accepted, whatever has changed since it was drawn. */
  isAnyPlanAccepted: boolean;
  /** The revision at which the staged data begins. */
  floor: string;
  /** False where a node's tool can't raise the revision: then the plan has said that clients must be restarted. */
  isRaised: boolean;
  members: MemberInspection[];
  nodes: Pick<PlannedNodeState, 'name' | 'etcd'>[];
}

/**
 * What has changed since the approval so that the restore must not go on. That a further member has died is no reason:
 * the restore is wanted all the more.
 * @returns a sentence each; empty when the restore may begin
 */
export function whyNotNow({ plan, isAnyPlanAccepted, floor, isRaised, members, nodes }: LastLook): string[] {
  const now = presentState(members);
  const problems: string[] = [];
  if (now.clusterId !== null && plan.before.clusterId !== null && now.clusterId !== plan.before.clusterId) {
    problems.push(`the members belong to cluster ${now.clusterId}, expected ${plan.before.clusterId}`);
  }
  if (now.hadLeader && !plan.before.hadLeader && !isAnyPlanAccepted) {
    problems.push(`quorum is back: ${now.up.length} of ${members.length} members answer`);
  }
  if (!isRaised) return problems;
  const unseen = unseenWriters(plan.before.up, members, nodes);
  if (unseen.length > 0) {
    problems.push(
      `what was written meanwhile is unknown, since etcd is running but no longer answers: ${unseen.join('; ')}`,
    );
  }
  const overtaken = overtakenBy(now.revision, floor);
  if (overtaken !== undefined) problems.push(overtaken);
  return problems;
}

/**
 * Members that may take writes unseen: they answered before, their etcd runs, and now they are silent. An expired
 * certificate is enough for it. None while a majority answers: nothing is written without one of these.
 */
export function unseenWriters(
  answeredBefore: string[],
  members: MemberInspection[],
  nodes: Pick<PlannedNodeState, 'name' | 'etcd'>[],
): string[] {
  if (answering(members).length * 2 > members.length) return [];
  const running = new Set(nodes.filter(({ etcd }) => etcd === 'running').map(({ name }) => name));
  return members
    .filter(({ node, status }) => status === undefined && answeredBefore.includes(node) && running.has(node))
    .map(({ node, error }) => `${node}: ${error ?? 'no answer'}`);
}
