/** What a backup does for the stores when it is done. What fails here is told, and never fails the backup. */
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

/** A store that was away has what it missed copied as soon as it is back. */
async function healOlderBackups(cluster: Cluster, taken: BackupId, runbook: Runbook): Promise<void> {
  const { copies } = await look.findLackingCopies({ cluster, backup: null });
  await healCopies(
    cluster,
    copies.filter(({ backup }) => backup !== taken),
    runbook,
  );
}

/** With a schedule of its own, pruning waits for that. */
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
