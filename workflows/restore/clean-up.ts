/** Removes what restores and replacements have moved aside, once a person says that it is no longer needed. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { checkConfirmation, checkInput } from '../../domain/input.ts';
import { CLEAN_UP, type CleanUpInput, type CleanUpReport } from '../../domain/operations/clean-up.ts';
import { countedInWords } from '../../domain/restore/set-aside.ts';
import { formatBytes } from '../../domain/units.ts';
import { look, preparing } from '../kit/activities.ts';
import { checked, failure } from '../kit/failure.ts';
import { holdingCluster } from '../kit/hold-cluster.ts';
import { openRunbook, type Runbook } from '../kit/runbook.ts';

export async function cleanUp(input: CleanUpInput): Promise<CleanUpReport> {
  const request = checked(() => {
    const valid = checkInput<CleanUpInput>(input, CLEAN_UP.shape);
    if (valid.dryRun !== true) checkConfirmation(valid.cluster, valid.confirm ?? '');
    return valid;
  });
  const runbook = openRunbook('cleanUp', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  if (request.dryRun === true) {
    return { cluster: cluster.name, dryRun: true, removed: await findSetAside(cluster, runbook) };
  }
  return await holdingCluster(cluster.name, 'cleanUp', async () => {
    await refuseUnfinished(cluster, runbook);
    const found = await findSetAside(cluster, runbook);
    const ofNode = (name: string) => found.filter(({ node }) => node === name).map(({ path }) => path);
    await runbook.onEvery(
      'Remove them',
      cluster.nodes.filter(({ name }) => ofNode(name).length > 0),
      async (node) => {
        const paths = ofNode(node.name);
        await preparing(node).removeSetAside({ cluster, node: node.name, paths });
        return paths;
      },
      (paths) => paths.join(', '),
    );
    return { cluster: cluster.name, dryRun: false, removed: found };
  });
}

/** A restore that has not ended may still have to be rolled back. */
async function refuseUnfinished(cluster: Cluster, runbook: Runbook): Promise<void> {
  const journals = await runbook.onEvery(
    'Look for a restore that has not ended',
    cluster.nodes,
    async (node) => await preparing(node).readJournal({ cluster, node: node.name }),
    (journal) => (journal === null ? 'none' : journal.workflowId),
  );
  const unfinished = journals.find((journal) => journal !== null);
  if (unfinished) {
    throw failure(
      'UnsafeState',
      `the restore ${unfinished.workflowId} of ${cluster.name} has not ended and may still need what was set aside. End it first: \`salvor restore ${cluster.name} --resume\``,
    );
  }
}

async function findSetAside(cluster: Cluster, runbook: Runbook): Promise<CleanUpReport['removed']> {
  const found = await runbook.onEvery(
    'Find what was moved aside',
    cluster.nodes,
    async (node) => {
      const there = await preparing(node).listSetAside({ cluster, node: node.name });
      return there.map(({ path, type, bytes }) => ({ node: node.name, path, type, bytes }));
    },
    (there) =>
      there.length === 0
        ? 'nothing'
        : `${countedInWords(there)}, ${formatBytes(there.reduce((sum, { bytes }) => sum + bytes, 0))}`,
  );
  return found.flat();
}
