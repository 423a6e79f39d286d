/** The part of a restore that changes the cluster, with the journal on every node around it: done to its end, put back, or left as it is. */
import { workflowInfo } from '@temporalio/workflow';
import type { AftercareFinding } from '../../domain/restore/aftercare.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { isRevisionRaised, type Journal } from '../../domain/restore/journal.ts';
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { StepName } from '../../domain/operations/steps.ts';
import { care, changing } from '../kit/activities.ts';
import { changeCluster } from './change-cluster.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import { Abandoned, type Person } from '../kit/person.ts';
import { rollBack } from './roll-back.ts';
import type { Runbook } from '../kit/runbook.ts';

export interface Undertaking {
  cluster: Cluster;
  journal: Journal;
  /** False for a restore that began before there were plans: without a journal on the nodes, and without the gates that came with it. */
  isPlanned: boolean;
  /** Every node has its new data directory already: nothing has to be stopped. */
  isSwapped?: boolean;
}

type End = Pick<RestoreReport, 'outcome' | 'problem' | 'setAside' | 'aftercare'> & {
  after: { revision: string; clusterId: string } | null;
  /** When every kube-apiserver answered again, or this was given up. */
  upAtMs: number;
};

/** Carries a restore out from where it is: steps that are done already change nothing. What can't succeed is decided by a person. */
export async function carryOut(undertaking: Undertaking, runbook: Runbook, person: Person): Promise<RestoreReport> {
  const { cluster, journal } = undertaking;
  const { after, upAtMs, ...end } = await changeOrPutBack(undertaking, runbook.insisting(person), person);
  return {
    cluster: cluster.name,
    backup: journal.backup,
    ...end,
    downtimeMs: upAtMs - Date.parse(journal.touchedAt),
    revision: {
      before: journal.revision.before,
      snapshot: journal.revision.snapshot,
      after: after?.revision ?? null,
    },
    clusterId: { before: journal.clusterId, after: after?.clusterId ?? null },
    steps: runbook.steps,
    workflowId: workflowInfo().workflowId,
  };
}

async function changeOrPutBack(undertaking: Undertaking, runbook: Runbook, person: Person): Promise<End> {
  const { journal } = undertaking;
  if (journal.phase === 'rolling-back') {
    person.beginRollback();
    return await putBack(undertaking, journal.problem ?? 'a person decided so', runbook);
  }
  try {
    await writeJournal(undertaking, runbook, 'Write the journal');
    const changed = await changeCluster(undertaking, runbook);
    const leftOpen = await closeJournal(undertaking, runbook);
    const aftercare = await lookAfter(undertaking, changed.after.revision, runbook);
    return {
      outcome: 'restored',
      problem: null,
      ...changed,
      ...(aftercare && { aftercare: [...unendedWatches(journal), ...leftOpen, ...aftercare] }),
    };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    if (error.decision === 'abort') return leftAsItIs(error.message);
    person.beginRollback();
    return await putBack(undertaking, error.message, runbook);
  }
}

async function putBack(undertaking: Undertaking, problem: string, runbook: Runbook): Promise<End> {
  const journal: Journal = { ...undertaking.journal, phase: 'rolling-back', problem };
  try {
    await writeJournal({ ...undertaking, journal }, runbook, 'Roll back: note it in the journal');
    const put = await rollBack({ cluster: undertaking.cluster, journal }, runbook);
    const aftercare = await closeJournal(undertaking, runbook);
    return { outcome: 'rolled-back', problem, after: null, ...put, ...(aftercare.length > 0 && { aftercare }) };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    return leftAsItIs(`${problem}; then, rolling back: ${error.message}`);
  }
}

/** The journals stay: `salvor restore --resume` goes on from here. */
function leftAsItIs(problem: string): End {
  return { outcome: 'aborted', problem, setAside: [], after: null, upAtMs: Date.now() };
}

async function writeJournal({ cluster, journal, isPlanned }: Undertaking, runbook: Runbook, step: StepName) {
  if (!isPlanned) return;
  await runbook.onEvery(
    step,
    cluster.nodes,
    async (node) => await changing(node).writeJournal({ cluster, node: node.name, journal }),
    ({ path }) => path,
  );
}

/** The cluster is well by now: a journal that can't be closed is told, and nothing is put back for it. */
async function closeJournal({ cluster, isPlanned }: Undertaking, runbook: Runbook): Promise<AftercareFinding[]> {
  if (!isPlanned) return [];
  const closed = await runbook.onEvery(
    'Close the journal',
    cluster.nodes,
    async (node) => {
      try {
        await changing(node).closeJournal({ cluster, node: node.name });
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
    const advice = `when the node can be reached: salvor restore ${cluster.name} --resume, which finds everything done and closes it`;
    return [{ what: `the journal of ${node}`, state: 'listed' as const, detail: `left open: ${problem}`, advice }];
  });
}

/** A tool of the nodes that left the revision where the snapshot was: the plan has said so. */
function unendedWatches(journal: Journal): AftercareFinding[] {
  if (isRevisionRaised(journal)) return [];
  return [
    {
      what: 'watches from before the restore',
      state: 'listed',
      detail: `they do not end, and may miss changes in silence: the revision went back to the snapshot's, ${journal.revision.snapshot}`,
      advice: 'restart everything that watches: kubelets, controllers, operators',
    },
  ];
}

/** The cluster is restored; what is found now, or can't be looked at, is for a person to read. */
async function lookAfter({ cluster, isPlanned }: Undertaking, sinceRevision: string, runbook: Runbook) {
  if (!isPlanned) return undefined;
  return await runbook.step(
    'Look after the cluster',
    null,
    async () => {
      try {
        return (await care.lookAfter({ cluster, sinceRevision })).found;
      } catch (error) {
        rethrowUnlessActivity(error);
        const detail = reasonOf(error);
        return [{ what: 'the cluster', state: 'not-checked', detail } satisfies AftercareFinding];
      }
    },
    (found) =>
      found
        .filter(({ state }) => state !== 'fine')
        .map(({ what, detail }) => `${what}: ${detail}`)
        .join('; ') || 'nothing is left to do',
  );
}
