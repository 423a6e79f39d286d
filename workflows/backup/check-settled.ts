/**
 * A check before a backup: a cluster that was just installed, or whose static pods are being replaced, is not worth
 * keeping yet.
 */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { type BackupOverride, requireSettled, type Settling } from '../../domain/backups/settled.ts';
import { traitsOf } from '../../domain/flavours/index.ts';
import { look, preparing } from '../kit/activities.ts';
import { checked, reasonOf, rethrowUnlessActivity } from '../kit/failure.ts';
import type { Runbook } from '../kit/runbook.ts';

/**
 * Anything that can't be checked is reported and stops nothing: etcd can be backed up while a node or the API is away.
 */
export async function checkSettled(
  cluster: Cluster,
  runbook: Runbook,
  override: readonly BackupOverride[],
): Promise<void> {
  if (traitsOf(cluster.flavour).settlesBy === null) return;
  await runbook.step(
    'Check that the cluster has settled',
    null,
    async () => {
      const installed = await installation(cluster);
      const found = [
        installed,
        ...(await rollout(cluster)),
        ...(await Promise.all(nodesToAsk(cluster).map((node) => settlingOf(cluster, node)))),
      ];
      for (const { where, settling } of found) {
        // The API knows best; without it the certificates show the age.
        const known = settling && { ...settling, installedAt: installed.settling?.installedAt ?? settling.installedAt };
        if (known) checked(() => requireSettled(where, known, new Date(), override));
      }
      return found.flatMap(({ where, settling, problem }) => [
        ...(settling?.installedAt ? [`${where}: installed ${settling.installedAt}`] : []),
        ...(settling?.operators ?? []).map(({ operator, progressing }) => `${operator}: Progressing is ${progressing}`),
        ...(settling?.lastChange ? [`${where}: static pods last changed ${settling.lastChange.changedAt}`] : []),
        ...(problem === undefined ? [] : [`${where} could not be checked: ${problem}`]),
      ]);
    },
    (seen) => [...seen, ...override.map((name) => `"${name}" is overridden`)].join('; ') || 'nothing tells',
  );
}

interface Found {
  where: string;
  settling?: Settling;
  problem?: string;
}

function nodesToAsk({ flavour, nodes }: Cluster): ClusterNode[] {
  return traitsOf(flavour).settlesBy === 'node files' ? nodes : [];
}

const API = 'the Kubernetes API';

async function installation(cluster: Cluster): Promise<Found> {
  const { kubeconfig, flavour } = cluster;
  const where = API;
  // Without a kubeconfig, the files of the nodes may show it.
  const isNeeded = traitsOf(flavour).settlesBy === 'operators';
  if (kubeconfig === undefined) return { where, ...(isNeeded && { problem: 'no kubeconfig is set' }) };
  const answer = await look.readInstalledAt({ cluster });
  if ('problem' in answer) return { where, problem: answer.problem };
  return { where, settling: { installedAt: answer.installedAt, lastChange: null } };
}

/** OpenShift's own operators replace the static pods and report it. */
async function rollout(cluster: Cluster): Promise<Found[]> {
  const { kubeconfig, flavour } = cluster;
  if (traitsOf(flavour).settlesBy !== 'operators' || kubeconfig === undefined) return [];
  const answer = await look.readOperators({ cluster });
  if ('problem' in answer) return [{ where: "OpenShift's operators", problem: answer.problem }];
  return [{ where: API, settling: { installedAt: null, lastChange: null, operators: answer.operators } }];
}

async function settlingOf(cluster: Cluster, node: ClusterNode): Promise<Found> {
  try {
    return { where: node.name, settling: await preparing(node).readSettling({ cluster, node: node.name }) };
  } catch (error) {
    rethrowUnlessActivity(error);
    return { where: node.name, problem: reasonOf(error) };
  }
}
