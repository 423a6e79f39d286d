/** Finds what a restored cluster still has from the time before. Nothing found here fails a restore. */
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import { lockWorkflowId } from '../../domain/operations/common.ts';
import { isRevisionRaised, type Journal } from '../../domain/restore/journal.ts';
import { care } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

/**
 * @param sinceRevision the restored members' revision when they started: anything later was written after the restore
 */
export async function lookAfter(
  sinceRevision: string,
  { cluster, runbook }: RestoreOperation,
): Promise<AftercareFinding[]> {
  return await runbook.step(
    'Look after the cluster',
    null,
    async () => {
      try {
        return (await care.lookAfter({ cluster, sinceRevision })).found;
      } catch (error) {
        rethrowUnlessActivity(error);
        return [{ what: 'the cluster', state: 'not-checked', detail: reasonOf(error) } satisfies AftercareFinding];
      }
    },
    (found) =>
      found
        .filter(({ state }) => state !== 'fine')
        .map(({ what, detail }) => `${what}: ${detail}`)
        .join('; ') || 'nothing is left to do',
  );
}

/** Whoever ended the lock should know that another operation could have begun meanwhile. */
export function lostHold({ cluster, hold }: RestoreOperation): AftercareFinding[] {
  if (!hold.wasLost()) return [];
  return [
    {
      what: 'the hold of the cluster',
      state: 'mended',
      detail: `the lock ${lockWorkflowId(cluster.name)} was ended during the restore, and was taken again`,
      advice: 'find out who ended it: without it two operations can change a cluster at once',
    },
  ];
}

/** Some nodes' etcdutl couldn't raise the revision above the snapshot's; the plan has warned of this. */
export function unendedWatches(journal: Journal): AftercareFinding[] {
  if (isRevisionRaised(journal)) return [];
  return [
    {
      what: 'watches from before the restore',
      state: 'listed',
      detail: `they do not end, and may miss changes silently: the revision went back to the snapshot's, ${journal.revision.snapshot}`,
      advice: 'restart everything that watches: kubelets, controllers, operators',
    },
  ];
}
