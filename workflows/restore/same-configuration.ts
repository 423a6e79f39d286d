/** A restore must be carried out with the configuration from which its plan was drawn. */
import { look } from '../kit/activities.ts';
import { failure } from '../kit/failure.ts';
import type { RestoreOperation } from './operation.ts';

/**
 * Reads the configuration again after a wait.
 * @throws `PlanChanged` when the cluster's part of it has changed
 */
export async function requireSameConfiguration({ cluster }: Pick<RestoreOperation, 'cluster'>): Promise<void> {
  const now = await look.readCluster({ cluster: cluster.name });
  if (now.digest === cluster.digest) return;
  throw failure(
    'PlanChanged',
    `the configuration of ${cluster.name} was changed after the restore had read it. Nothing was touched. Start the restore again; it will read the new configuration`,
  );
}
