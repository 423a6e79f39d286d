/** Checks that the preparations still fit the cluster, right before the first component is stopped. Pure. */
import { answering, type MemberInspection } from '../members/members.ts';
import { presentState, type PlannedNodeState, type RestorePlan } from './plan.ts';
import { overtakenBy } from './revision.ts';

export interface LastLook {
  /** The approved plan. */
  plan: Pick<RestorePlan, 'before'>;
  /** Whether any plan is accepted, whatever has changed since it was drawn. */
  isAnyPlanAccepted: boolean;
  /** The revision at which the staged data begins. */
  floor: string;
  /** False if a node's tool can't raise the revision; the plan has then warned that clients must be restarted. */
  isRaised: boolean;
  members: MemberInspection[];
  nodes: Pick<PlannedNodeState, 'name' | 'etcd'>[];
}

/**
 * The changes since the approval that forbid the restore to continue. If another member has died, that is no reason to
 * stop: the restore is needed even more.
 * @returns one text per reason; empty when the restore may begin
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
 * Members that may accept writes that Salvor can't see: they answered before and their etcd runs, but now they are
 * silent. An expired certificate is enough for this. Empty while a majority answers, because every write needs one of
 * these members.
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
