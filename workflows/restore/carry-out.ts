/**
 * The part of a restore that changes the cluster, with the journal on every node around it. It is completed, put back,
 * or left as it is.
 */
import type { RestoreReport } from '../../domain/operations/restore.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import { presentState } from '../../domain/restore/plan.ts';
import { ownWorkflowId } from '../kit/engine.ts';
import { Abandoned } from '../kit/person.ts';
import { changeCluster } from './change-cluster.ts';
import type { Facts } from './draw-plan.ts';
import { closeJournal, writeJournal } from './keep-journal.ts';
import { lookAfter, lostHold, unendedWatches } from './look-after.ts';
import type { RestoreOperation, Undertaking } from './operation.ts';
import { rollBack } from './roll-back.ts';

type End = Pick<RestoreReport, 'outcome' | 'problem' | 'setAside' | 'aftercare'> & {
  after: { revision: string; clusterId: string } | null;
  /** When every kube-apiserver answered again, or when the restore gave up. */
  upAtMs: number;
};

/**
 * Carries a restore out from its present state: steps that are already done change nothing. If a step can't succeed, a
 * person decides.
 */
export async function carryOut(undertaking: Undertaking, op: RestoreOperation): Promise<RestoreReport> {
  const { cluster, runbook, person } = op;
  const { journal } = undertaking;
  const insisting = { ...op, runbook: runbook.insisting(person, op.hold) };
  const { after, upAtMs, ...end } = await changeOrPutBack(undertaking, insisting);
  return {
    cluster: cluster.name,
    backup: journal.backup,
    ...end,
    downtimeMs: upAtMs - Date.parse(journal.touchedAt),
    revision: { before: journal.revision.before, snapshot: journal.revision.snapshot, after: after?.revision ?? null },
    clusterId: { before: journal.clusterId, after: after?.clusterId ?? null },
    steps: runbook.steps,
    workflowId: ownWorkflowId(),
  };
}

/** The report of a restore that was declined before it touched anything. */
export function notTouched(
  { source, members, trial }: Facts,
  problem: string,
  { cluster, runbook }: RestoreOperation,
): RestoreReport {
  const { revision, clusterId } = presentState(members);
  return {
    cluster: cluster.name,
    backup: source.backup,
    outcome: 'aborted',
    problem,
    downtimeMs: 0,
    revision: { before: revision, snapshot: trial.revision, after: null },
    clusterId: { before: clusterId, after: null },
    steps: runbook.steps,
    setAside: [],
    workflowId: ownWorkflowId(),
  };
}

async function changeOrPutBack({ journal, isSwapped }: Undertaking, op: RestoreOperation): Promise<End> {
  if (journal.phase === 'rolling-back') return await putBack(journal, journal.problem ?? 'a person decided to', op);
  try {
    await writeJournal('Write the journal', journal, op);
    const changed = await changeCluster({ journal, isSwapped }, op);
    const leftOpen = await closeJournal(journal, op);
    const found = await lookAfter(changed.after.revision, op);
    return {
      outcome: 'restored',
      problem: null,
      ...changed,
      aftercare: [...lostHold(op), ...unendedWatches(journal), ...leftOpen, ...found],
    };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    if (error.decision === 'abort') return leftAsItIs(error.message);
    return await putBack(journal, error.message, op);
  }
}

async function putBack(journal: Journal, problem: string, op: RestoreOperation): Promise<End> {
  op.person.beginRollback();
  const rollingBack: Journal = { ...journal, phase: 'rolling-back', problem };
  try {
    await writeJournal('Roll back: note it in the journal', rollingBack, op);
    const put = await rollBack(rollingBack, op);
    const leftOpen = await closeJournal(journal, op);
    return {
      outcome: 'rolled-back',
      problem,
      after: null,
      ...put,
      ...(leftOpen.length > 0 && { aftercare: leftOpen }),
    };
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
    return leftAsItIs(`${problem}; then, rolling back: ${error.message}`);
  }
}

/** The journals stay: `salvor restore --resume` can continue from here. */
function leftAsItIs(problem: string): End {
  return { outcome: 'aborted', problem, setAside: [], after: null, upAtMs: Date.now() };
}
