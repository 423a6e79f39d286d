/** What is left of the time before in a restored cluster. Nothing that is found here fails a restore. */
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import { lockWorkflowId } from '../../domain/operations/common.ts';
import { isRevisionRaised, type Journal } from '../../domain/restore/journal.ts';
import { care } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

/** @param sinceRevision the restored members' at their start: what was written later was written after the restore */
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

/** Another operation could have begun meanwhile: whoever ended the lock should know. */
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

/** A tool of the nodes that left the revision where the snapshot was: the plan has said so. */
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
