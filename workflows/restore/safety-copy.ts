/** Saves the state before a restore: it may still be needed. */
import { BACKUP_OVERRIDES } from '../../domain/backups/settled.ts';
import { takeBackup } from '../backup/take-backup.ts';
import { failureTypeOf, reasonOf } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

export interface SafetyCopy {
  /** The revision of the live cluster when it was copied; null when no copy was possible. */
  revision: string | null;
  seen: string;
}

/**
 * Takes a backup of the present state. If the cluster is too broken for one, its old data directories are still kept.
 */
export async function saveSafetyCopy({ cluster, runbook }: RestoreOperation): Promise<SafetyCopy> {
  return await runbook.step(
    'Save the present state',
    null,
    async () => {
      try {
        // This is the last moment to save the cluster, so it is saved in any state.
        const { backup, state, revision } = await takeBackup(cluster, runbook, BACKUP_OVERRIDES);
        return { revision, seen: `backup ${backup}, ${state}` };
      } catch (error) {
        if (failureTypeOf(error) === undefined) throw error;
        return { revision: null, seen: `not possible: ${reasonOf(error)}. The old data directories are kept` };
      }
    },
    ({ seen }) => seen,
  );
}
