/** Takes over a restore whose operation is gone: the nodes themselves tell how far it came. */
import { CancellationScope } from '@temporalio/workflow';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { Journal } from '../../domain/restore/journal.ts';
import type { RestoreReport, Resume } from '../../domain/operations/restore.ts';
import { changing, preparing } from '../kit/activities.ts';
import { carryOut } from './carry-out.ts';
import { failure } from '../kit/failure.ts';
import type { Person } from '../kit/person.ts';
import type { Runbook } from '../kit/runbook.ts';

export async function resumeRestore(
  cluster: Cluster,
  resume: Resume,
  runbook: Runbook,
  person: Person,
): Promise<RestoreReport> {
  const { nodes } = cluster;
  const journals = await runbook.onEvery(
    'Read the journal',
    nodes,
    async (node) => ({ node: node.name, journal: await preparing(node).readJournal({ cluster, node: node.name }) }),
    ({ journal }) =>
      journal === null
        ? 'none'
        : `${journal.workflowId}, from ${journal.backup}, ${journal.phase}, since ${journal.touchedAt}`,
  );
  const journal = agreed(cluster, journals);
  const positions = await runbook.onEvery(
    'Look how far the node is',
    nodes,
    async (node) => await changing(node).readPosition({ cluster, node: node.name, operationId: journal.operationId }),
    ({ staged, etcd }) => `${staged ? 'the old data directory is in place' : 'swapped'}, etcd ${etcd}`,
  );

  return await CancellationScope.nonCancellable(async () => {
    const phase = resume === 'rollback' ? 'rolling-back' : journal.phase;
    const isSwapped = positions.every(({ staged }) => !staged);
    return await carryOut({ cluster, journal: { ...journal, phase }, isPlanned: true, isSwapped }, runbook, person);
  });
}

/** The one restore that the nodes speak of. One that has begun to be put back is put back. */
function agreed(cluster: Cluster, read: { node: string; journal: Journal | null }[]): Journal {
  const journals = read.flatMap(({ journal }) => (journal === null ? [] : [journal]));
  const [first] = journals;
  if (first === undefined) {
    throw failure(
      'UnsafeState',
      `no node of ${cluster.name} has a journal: no restore is unfinished there. Start one without --resume`,
    );
  }
  const operations = [...new Set(journals.map(({ operationId }) => operationId))];
  if (operations.length > 1) {
    const seen = read.map(({ node, journal }) => `${node}: ${journal?.workflowId ?? 'none'}`);
    throw failure(
      'UnsafeState',
      `the nodes of ${cluster.name} have journals of different restores (${seen.join('; ')}); find out which data each has, then move the journals of the wrong one away`,
    );
  }
  const known = new Set(first.nodes.map(({ name }) => name));
  const unknown = cluster.nodes.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length > 0 || known.size !== cluster.nodes.length) {
    throw failure(
      'InvalidConfiguration',
      `the restore of ${cluster.name} began with the nodes ${[...known].join(', ')}; the configuration has ${cluster.nodes.map(({ name }) => name).join(', ')}. Put the nodes back into the configuration until it has ended`,
    );
  }
  return journals.find(({ phase }) => phase === 'rolling-back') ?? first;
}
