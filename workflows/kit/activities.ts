/** How long each kind of activity may take and what is tried again. */
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { AftercareActivities } from '../../activities/aftercare.ts';
import type { BackupActivities } from '../../activities/backups.ts';
import type { ConfigurationActivities } from '../../activities/configuration.ts';
import type { DrillActivities } from '../../activities/drills.ts';
import type { HealActivities } from '../../activities/heal.ts';
import type { JournalActivities } from '../../activities/journals.ts';
import type { KubernetesGateActivities } from '../../activities/kubernetes-gates.ts';
import type { MemberNodeActivities } from '../../activities/member-nodes.ts';
import type { MemberActivities } from '../../activities/members.ts';
import type { MembershipActivities } from '../../activities/membership.ts';
import type { NodeActivities } from '../../activities/nodes.ts';
import type { PlanActivities } from '../../activities/plans.ts';
import type { PruneActivities } from '../../activities/prune.ts';
import type { SetAsideActivities } from '../../activities/set-aside.ts';
import type { SettlingActivities } from '../../activities/settling.ts';
import type { SnapshotActivities } from '../../activities/snapshots.ts';
import type { StaticResourceActivities } from '../../activities/static-resources.ts';
import type { TrialActivities } from '../../activities/trials.ts';
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { FailureType } from '../../domain/errors.ts';

/** What touches disks and stores is waited for when cancelled, so that it has cleaned up before the story goes on. */
const attended = {
  // The worker beats every 2 s: one that is killed is noticed within this time.
  heartbeatTimeout: '10s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} satisfies ActivityOptions;

/** How long what was just started is looked at before it is taken for dead, and started again: which does nothing when it isn't. */
export const FIRST_LOOK = '20s';

/** Looks: quick, harmless, and worth a few tries before a person is told. */
export const look = proxyActivities<
  ConfigurationActivities &
    MemberActivities &
    Pick<MembershipActivities, 'surveyMembers'> &
    BackupActivities &
    PlanActivities &
    Pick<SettlingActivities, 'readInstalledAt' | 'readOperators'> &
    Pick<PruneActivities, 'setPin'> &
    Pick<HealActivities, 'findLackingCopies'> &
    Omit<DrillActivities, 'drillBackup'>
>({
  ...attended,
  startToCloseTimeout: '2m',
  retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 4 },
});

/** What goes through all of a store's objects: there may be many thousands. */
export const tidy = proxyActivities<Omit<PruneActivities, 'setPin'>>({
  ...attended,
  startToCloseTimeout: '2h',
  retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 4 },
});

/** Streams: as long as the database and the slowest store need. Each try starts anew, so there are few. */
export const stream = proxyActivities<
  BackupActivities & TrialActivities & Pick<HealActivities, 'healCopy'> & Pick<DrillActivities, 'drillBackup'>
>({
  ...attended,
  startToCloseTimeout: '6h',
  retry: { initialInterval: '5s', maximumInterval: '1m', maximumAttempts: 4 },
});

/** The same, but a member that broke off is not asked again: another one is chosen first. */
export const snapshots = proxyActivities<SnapshotActivities>({
  ...attended,
  startToCloseTimeout: '6h',
  retry: {
    initialInterval: '5s',
    maximumInterval: '1m',
    maximumAttempts: 4,
    nonRetryableErrorTypes: ['SnapshotInterrupted', 'MemberUnreachable'] satisfies FailureType[],
  },
});

/** A few megabytes of a node's files. */
export function archiving(node: ClusterNode) {
  return proxyActivities<StaticResourceActivities>({
    ...attended,
    ...placeOf(node),
    summary: node.name,
    startToCloseTimeout: '15m',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 4 },
  });
}

/** What a node needs before a restore: wrong here is wrong for a person to see, while nothing is touched yet. */
export function preparing(node: ClusterNode) {
  return proxyActivities<
    NodeActivities &
      JournalActivities &
      SetAsideActivities &
      SettlingActivities &
      Pick<MemberNodeActivities, 'checkMemberNode'>
  >({
    ...attended,
    ...placeOf(node),
    summary: node.name,
    startToCloseTimeout: '6h',
    retry: { initialInterval: '2s', maximumInterval: '30s', maximumAttempts: 5 },
  });
}

/** A look at a node whose member is silent: one that is away is part of the answer, and not waited for. */
export function observing(node: ClusterNode) {
  return proxyActivities<Pick<MemberNodeActivities, 'observeEtcd' | 'readApiServerFlags'>>({
    ...attended,
    ...placeOf(node),
    ...(node.taskQueue !== undefined && { scheduleToStartTimeout: '20s' }),
    summary: node.name,
    startToCloseTimeout: '1m',
    retry: { maximumAttempts: 2 },
  });
}

/** Between the first component stopped and the last one ready: tried again and again, and a person is asked when that doesn't help. */
export function changing(node: ClusterNode) {
  return proxyActivities<
    NodeActivities & JournalActivities & Omit<MemberNodeActivities, 'checkMemberNode' | 'observeEtcd'>
  >({
    ...attended,
    ...placeOf(node),
    summary: node.name,
    startToCloseTimeout: '2m',
    scheduleToCloseTimeout: '5m',
    retry: { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
  });
}

/** What may well fail, and is then left as it is. */
export function once(node: ClusterNode) {
  return proxyActivities<Pick<NodeActivities, 'startEtcd'>>({
    ...attended,
    ...placeOf(node),
    summary: node.name,
    startToCloseTimeout: '2m',
    // A worker that was killed meanwhile is no answer.
    retry: { maximumAttempts: 2 },
  });
}

/**
 * The looks at a node as its clients have it: from where the credentials are.
 * @param within how long they are tried; shorter for a first look at what may have died
 */
export function asClient(cluster: Cluster, node: ClusterNode, within: typeof FIRST_LOOK | '5m' = '5m') {
  return proxyActivities<KubernetesGateActivities>({
    ...attended,
    // A kubeconfig is a file of the worker; without one the node's own is read.
    ...(cluster.kubeconfig === undefined && placeOf(node)),
    summary: node.name,
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: within,
    retry: { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
  });
}

/** The gates after the change; the same, for the cluster as a whole. */
export const gate = proxyActivities<MemberActivities & Omit<MembershipActivities, 'surveyMembers'>>({
  ...attended,
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '5m',
  retry: { initialInterval: '500ms', backoffCoefficient: 1.2, maximumInterval: '5s' },
});

/** Waits for kubelets and controllers for up to two minutes by itself; what it finds doesn't fail a restore. */
export const care = proxyActivities<AftercareActivities>({
  ...attended,
  startToCloseTimeout: '5m',
  retry: { initialInterval: '2s', maximumInterval: '10s', maximumAttempts: 3 },
});

/** A first look at what was just started. What isn't there within this time may have died, and is started again. */
export function glance(node?: ClusterNode) {
  return proxyActivities<MemberActivities & Pick<NodeActivities, 'checkApiServer'>>({
    ...attended,
    ...(node && { ...placeOf(node), summary: node.name }),
    startToCloseTimeout: FIRST_LOOK,
    scheduleToCloseTimeout: FIRST_LOOK,
    retry: { initialInterval: '500ms', backoffCoefficient: 1.2, maximumInterval: '2s' },
  });
}

function placeOf({ taskQueue }: ClusterNode): ActivityOptions {
  // A worker of the node's own that is away is a fast, named failure.
  return taskQueue === undefined ? {} : { taskQueue, scheduleToStartTimeout: '2m' };
}
