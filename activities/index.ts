/** All activities that workflows may call. */
import type { Client } from '@temporalio/client';
import { withAuthority } from './authority.ts';
import { createAftercareActivities } from './aftercare.ts';
import { createBackupActivities } from './backups.ts';
import { createLockActivities } from './cluster-lock.ts';
import { createConfigurationActivities } from './configuration.ts';
import { createDrillActivities } from './drills.ts';
import { createHealActivities } from './heal.ts';
import { createJournalActivities } from './journals.ts';
import { createKubernetesGateActivities } from './kubernetes-gates.ts';
import { createMemberNodeActivities } from './member-nodes.ts';
import { createMemberActivities } from './members.ts';
import { createMembershipActivities } from './membership.ts';
import { createNodeActivities } from './nodes.ts';
import { createPlanActivities } from './plans.ts';
import { createPruneActivities } from './prune.ts';
import { createSetAsideActivities } from './set-aside.ts';
import { createSettlingActivities } from './settling.ts';
import { createSnapshotActivities } from './snapshots.ts';
import { createStaticResourceActivities } from './static-resources.ts';
import { createTrialActivities } from './trials.ts';

function activitiesOf(configFile: string, client: Client) {
  return {
    ...createConfigurationActivities(configFile),
    ...createLockActivities(client),
    ...createMemberActivities(),
    ...createMembershipActivities(),
    ...createMemberNodeActivities(),
    ...createSnapshotActivities(),
    ...createSettlingActivities(),
    ...createStaticResourceActivities(),
    ...createBackupActivities(),
    ...createPruneActivities(),
    ...createHealActivities(),
    ...createTrialActivities(),
    ...createDrillActivities(),
    ...createNodeActivities(),
    ...createJournalActivities(client),
    ...createPlanActivities(client),
    ...createKubernetesGateActivities(),
    ...createAftercareActivities(),
    ...createSetAsideActivities(),
  };
}
export type Activities = ReturnType<typeof activitiesOf>;

/** These change something on a node, in etcd or in a store: only the operation that holds the cluster may call them. */
const ACTING = [
  'addLearner',
  'configureMember',
  'closeJournal',
  'moveLeaderAway',
  'openJournal',
  'promoteMember',
  'putBackDataDirectory',
  'putBackMemberData',
  'removeBackups',
  'removeMember',
  'removeSetAside',
  'setMemberDataAside',
  'stageDataDirectory',
  'startApiServer',
  'startControllers',
  'startEtcd',
  'stopApiServer',
  'stopEtcd',
  'swapDataDirectory',
  'sweepStore',
  'writeJournal',
] as const satisfies (keyof Activities)[];

/**
 * The activities as workers host them: each checks what it may do at the moment it does it.
 * @param configFile `salvor.yaml` or a directory of such files; every activity reads it again
 */
export function createActivities(configFile: string, client: Client): Activities {
  return withAuthority(activitiesOf(configFile, client), { configFile, client, acting: new Set(ACTING) });
}
