/**
 * Prunes the stores of one cluster, each by its own retention. The newest good backup and the last proven one always
 * stay.
 */
import { checkInput } from '../../domain/input.ts';
import type { SkippedReport } from '../../domain/operations/common.ts';
import { PRUNE, type PruneInput, type PruneReport } from '../../domain/operations/prune.ts';
import { look } from '../kit/activities.ts';
import { checked } from '../kit/failure.ts';
import { holdingClusterOrSkipping } from '../kit/hold-cluster.ts';
import { pruneStores } from './prune-stores.ts';
import { openRunbook } from '../kit/runbook.ts';

export async function prune(input: PruneInput): Promise<PruneReport | SkippedReport> {
  const request = checked(() => checkInput<PruneInput>(input, PRUNE.shape));
  const runbook = openRunbook('prune', request.cluster);
  const cluster = await look.readCluster({ cluster: request.cluster });
  return await holdingClusterOrSkipping(
    cluster.name,
    'prune',
    async () => await pruneStores(cluster, request, runbook),
  );
}
