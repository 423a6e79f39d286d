/**
 * Keeps the files of every node in the stores that hold them. If some can't be kept, the backup is degraded but doesn't
 * fail: etcd's data is worth more.
 */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import type { BackupId } from '../../domain/format/keys.ts';
import type { BackupReport } from '../../domain/operations/backup.ts';
import { staticResourcePaths, type StaticResourcesTaken } from '../../domain/backups/static-resources.ts';
import { storeHolds } from '../../domain/format/keys.ts';
import { formatBytes } from '../../domain/units.ts';
import { archiving } from '../kit/activities.ts';
import { reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

export type Lacking = NonNullable<BackupReport['lacking']>[number];

const STEP = 'Keep the static resources';

export async function keepStaticResources(
  cluster: Cluster,
  backup: BackupId,
  runbook: Runbook,
): Promise<{ taken: StaticResourcesTaken[]; lacking: Lacking[] }> {
  const reason = whyNot(cluster);
  if (reason !== undefined) {
    await runbook.step(STEP, null, async () => reason, String);
    return { taken: [], lacking: [] };
  }
  const kept = await Promise.all(cluster.nodes.map((node) => keepOfNode(cluster, node, backup, runbook)));
  return {
    taken: kept.flatMap((each) => ('key' in each ? [each] : [])),
    lacking: kept.flatMap((each) => ('reason' in each ? [each] : [])),
  };
}

/** Not keeping them is either a choice or a mistake, so the evidence says why. */
function whyNot(cluster: Cluster): string | undefined {
  if (staticResourcePaths(cluster).length === 0) {
    return 'none: staticResources.paths is empty; this backup does not contain the certificates and keys of the nodes';
  }
  if (!cluster.stores.some((store) => storeHolds(store, 'static-resources'))) {
    return 'none: no store holds static-resources; this backup does not contain the certificates and keys of the nodes';
  }
  return undefined;
}

async function keepOfNode(
  cluster: Cluster,
  node: ClusterNode,
  backup: BackupId,
  runbook: Runbook,
): Promise<StaticResourcesTaken | Lacking> {
  try {
    return await runbook.step(
      STEP,
      node.name,
      async () => await archiving(node).keepStaticResources({ cluster, node: node.name, backup }),
      ({ paths, absent, stored, copies }) =>
        [
          `${paths.join(', ')} as ${formatBytes(stored.bytes)}`,
          ...copies.map(({ store, state, error }) => `${store}: ${error ?? state}`),
          ...absent.map((path) => `${path} does not exist`),
        ].join('; '),
    );
  } catch (error) {
    rethrowUnlessActivity(error);
    return { kind: 'static-resources', node: node.name, reason: reasonOf(error) };
  }
}
