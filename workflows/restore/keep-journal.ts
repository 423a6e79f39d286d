/** The journal of a restore, on every node from before the first thing is staged there until the restore has ended. */
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import { type Journal, type RestoreRun, runOf } from '../../domain/restore/journal.ts';
import { changing, preparing } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

/** One node after another: of two restores that begin in the same moment one has all nodes, or none. */
export async function openJournal(journal: Journal, { cluster, runbook }: RestoreOperation): Promise<void> {
  await runbook.inTurn(
    'Open the journal',
    cluster.nodes,
    async (node) => await preparing(node).openJournal({ cluster, node: node.name, journal }),
    ({ path }) => path,
  );
}

export async function writeJournal(
  step: 'Write the journal' | 'Roll back: note it in the journal',
  journal: Journal,
  { cluster, runbook }: RestoreOperation,
): Promise<void> {
  await runbook.onEvery(
    step,
    cluster.nodes,
    async (node) => await changing(node).writeJournal({ cluster, node: node.name, journal }),
    ({ path }) => path,
  );
}

/** The cluster is healthy by now, so a journal that can't be closed is only reported. */
export async function closeJournal(
  run: RestoreRun,
  { cluster, runbook }: RestoreOperation,
): Promise<AftercareFinding[]> {
  const closed = await runbook.onEvery(
    'Close the journal',
    cluster.nodes,
    async (node) => {
      try {
        await changing(node).closeJournal({ cluster, node: node.name, run: runOf(run) });
        return { node: node.name };
      } catch (error) {
        rethrowUnlessActivity(error);
        return { node: node.name, problem: reasonOf(error) };
      }
    },
    ({ problem }) => (problem === undefined ? 'closed' : `left open: ${problem}`),
  );
  return closed.flatMap(({ node, problem }) => {
    if (problem === undefined) return [];
    const advice = `when the node can be reached again, run: salvor restore ${cluster.name} --resume. It will find everything done and close the journal`;
    return [{ what: `the journal of ${node}`, state: 'listed' as const, detail: `left open: ${problem}`, advice }];
  });
}
