/** What is there before a restore may still be wanted. */
import { BACKUP_OVERRIDES } from '../../domain/backups/settled.ts';
import { takeBackup } from '../backup/take-backup.ts';
import { failureTypeOf, reasonOf } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

export interface SafetyCopy {
  /** Of the live cluster when it was copied; null when it was not possible. */
  revision: string | null;
  seen: string;
}

/** Takes a backup of the present state. A cluster too broken for one keeps its old data directories in any case. */
export async function saveSafetyCopy({ cluster, runbook }: RestoreOperation): Promise<SafetyCopy> {
  return await runbook.step(
    'Save the present state',
    null,
    async () => {
      try {
        // The last moment to save it: whatever state it is in.
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
