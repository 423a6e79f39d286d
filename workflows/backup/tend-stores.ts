/** What a backup does for the stores at its end. A failure here is reported, and never fails the backup. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { BackupId } from '../../domain/format/keys.ts';
import { look } from '../kit/activities.ts';
import { rethrowUnlessActivity } from '../kit/failure.ts';
import { healCopies } from '../stores/heal-copies.ts';
import { pruneStores } from '../stores/prune-stores.ts';
import type { Runbook } from '../kit/runbook.ts';

export async function tendStores(cluster: Cluster, taken: BackupId, runbook: Runbook): Promise<void> {
  await tolerant(async () => await healOlderBackups(cluster, taken, runbook));
  if (prunesAfterBackup(cluster)) await tolerant(async () => await pruneStores(cluster, {}, runbook, taken));
}

/** Copies to a store what it missed while it was away. */
async function healOlderBackups(cluster: Cluster, taken: BackupId, runbook: Runbook): Promise<void> {
  const { copies } = await look.findLackingCopies({ cluster, backup: null });
  await healCopies(
    cluster,
    copies.filter(({ backup }) => backup !== taken),
    runbook,
  );
}

/** Pruning with a schedule of its own is left to that schedule. */
function prunesAfterBackup({ schedules, stores }: Cluster): boolean {
  return schedules.prune === undefined && stores.some(({ retention }) => Object.keys(retention ?? {}).length > 0);
}

async function tolerant(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    rethrowUnlessActivity(error);
  }
}
