/** Everything that workflows may ask for. */
import type { Client } from '@temporalio/client';
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

/** @param configFile `salvor.yaml` or a directory of such files; read afresh for every operation */
export function createActivities(configFile: string, client: Client) {
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
export type Activities = ReturnType<typeof createActivities>;
