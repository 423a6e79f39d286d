/** Takes over a restore whose operation is lost: the nodes themselves show how far it got. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { RestoreReport, Resume } from '../../domain/operations/restore.ts';
import { isRevisionRaised, type Journal, type NewData, type NodePosition } from '../../domain/restore/journal.ts';
import { unseenWriters } from '../../domain/restore/last-look.ts';
import { presentState } from '../../domain/restore/plan.ts';
import { overtakenBy } from '../../domain/restore/revision.ts';
import { changing, look, preparing } from '../kit/activities.ts';
import { ownWorkflowId, untouchable } from '../kit/engine.ts';
import { failure } from '../kit/failure.ts';
import { carryOut } from './carry-out.ts';
import type { RestoreOperation } from './operation.ts';
import { unstageEverywhere } from './stage.ts';

export async function resumeRestore(resume: Resume, op: RestoreOperation): Promise<RestoreReport> {
  const { cluster, runbook } = op;
  const journals = await runbook.onEvery(
    'Read the journal',
    cluster.nodes,
    async (node) => ({ node: node.name, journal: await preparing(node).readJournal({ cluster, node: node.name }) }),
    ({ journal }) =>
      journal === null
        ? 'none'
        : `${journal.workflowId}, from ${journal.backup}, ${journal.phase}, since ${journal.touchedAt}`,
  );
  const journal = agreed(cluster, journals);
  if (journal.phase === 'preparing') return await endUntouched(journal, op);
  const { operationId } = journal;
  const positions = await runbook.onEvery(
    'Look how far the node is',
    cluster.nodes,
    async (node) => ({
      name: node.name,
      ...(await changing(node).readPosition({ cluster, node: node.name, operationId })),
    }),
    ({ newData, etcd }) => `${SEEN[newData]}, etcd ${etcd}`,
  );
  const phase = resume === 'rollback' ? 'rolling-back' : journal.phase;
  if (phase === 'changing') {
    refuseGone(journal, positions);
    await refuseOvertaken(journal, positions, op);
  }

  return await untouchable(async () => {
    const isSwapped = positions.every(({ newData }) => newData === 'in place');
    return await carryOut({ journal: { ...journal, phase }, isSwapped }, op);
  });
}

const SEEN: Record<NewData, string> = {
  staged: 'the old data directory is in place',
  'in place': 'swapped',
  gone: 'what was staged is gone',
};

/** Nothing was touched yet. What was staged is for a cluster that has gone on since, so nothing is made of it. */
async function endUntouched(journal: Journal, op: RestoreOperation): Promise<RestoreReport> {
  const { cluster, runbook } = op;
  await unstageEverywhere(journal.operationId, op, journal);
  return {
    cluster: cluster.name,
    backup: journal.backup,
    outcome: 'aborted',
    problem: `${journal.workflowId} had only prepared its restore: nothing was touched, and what it had staged is removed. Start a new restore`,
    downtimeMs: 0,
    revision: { before: journal.revision.before, snapshot: journal.revision.snapshot, after: null },
    clusterId: { before: journal.clusterId, after: null },
    steps: runbook.steps,
    setAside: [],
    workflowId: ownWorkflowId(),
  };
}

/** A member without its new data would start on the old among restored ones. */
function refuseGone({ cluster, workflowId }: Journal, positions: (NodePosition & { name: string })[]): void {
  const gone = positions.filter(({ newData }) => newData === 'gone').map(({ name }) => name);
  if (gone.length === 0) return;
  throw failure(
    'UnsafeState',
    `what ${workflowId} staged on ${gone.join(', ')} is neither beside the data directory nor in its place: something else has moved or removed it. Put the cluster back (\`salvor restore ${cluster} --resume rollback\`), and start a new restore`,
  );
}

/** Refuses when the cluster was never stopped and has kept running since the journal was written, perhaps for days. */
async function refuseOvertaken(
  journal: Journal,
  positions: (NodePosition & { name: string })[],
  { cluster, runbook }: RestoreOperation,
): Promise<void> {
  const old = positions.filter(({ newData }) => newData === 'staged');
  if (!isRevisionRaised(journal) || !old.some(({ etcd }) => etcd === 'running')) return;
  await runbook.step(
    'Compare the live revision',
    null,
    async () => {
      const members = await look.inspectMembers({ cluster });
      const { revision } = presentState(members);
      const overtaken = overtakenBy(revision, journal.revision.floor);
      const unseen = unseenWriters(journal.up, members, old);
      if (overtaken === undefined && unseen.length === 0) return revision;
      const why =
        overtaken ??
        `what was written meanwhile is unknown, since etcd is running but no longer answers: ${unseen.join('; ')}`;
      throw failure(
        'UnsafeState',
        `${cluster.name} continued to run after ${journal.workflowId} had prepared its restore: ${why}. Put it back (\`salvor restore ${cluster.name} --resume rollback\`), and start a new restore`,
      );
    },
    (revision) => `${revision ?? 'unknown'}; the restored cluster begins at ${journal.revision.floor}`,
  );
}

/** How far a restore came is what the farthest node says. */
const ORDER: Journal['phase'][] = ['rolling-back', 'changing', 'preparing'];

/**
 * Returns the journal of the one restore that the nodes agree on. If any node has begun to roll back, the rollback
 * continues.
 */
function agreed(cluster: Cluster, read: { node: string; journal: Journal | null }[]): Journal {
  const journals = read.flatMap(({ journal }) => (journal === null ? [] : [journal]));
  const [first] = journals;
  if (first === undefined) {
    throw failure(
      'UnsafeState',
      `no node of ${cluster.name} has a journal, so there is no unfinished restore. Start one without --resume`,
    );
  }
  const operations = [...new Set(journals.map(({ workflowId, runId }) => `${workflowId} ${runId}`))];
  if (operations.length > 1) {
    const seen = read.map(({ node, journal }) => `${node}: ${journal?.workflowId ?? 'none'}`);
    throw failure(
      'UnsafeState',
      `the nodes of ${cluster.name} have journals of different restores (${seen.join('; ')}); find out which data each node has, then move the journals of the wrong restore away`,
    );
  }
  const known = new Set(first.nodes.map(({ name }) => name));
  const unknown = cluster.nodes.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length > 0 || known.size !== cluster.nodes.length) {
    throw failure(
      'InvalidConfiguration',
      `the restore of ${cluster.name} began with the nodes ${[...known].join(', ')}; the configuration has ${cluster.nodes.map(({ name }) => name).join(', ')}. Put these nodes back into the configuration until the restore has ended`,
    );
  }
  return ORDER.flatMap((wanted) => journals.find(({ phase }) => phase === wanted) ?? [])[0] ?? first;
}
