/** What OpenShift's operators report about the control plane that they run. */
import { z } from 'zod';
import type { OperatorState } from '../../domain/backups/settled.ts';
import { askCluster, type Untold } from './api/ask-cluster.ts';

/** Each replaces a static pod on one node after the other. */
const OPERATORS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          conditions: z
            .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
            .default([]),
        })
        .optional(),
    }),
  ),
});

/**
 * Whether the operators of the control plane are rolling something out, by each one's condition `Progressing`.
 * @param kubeconfig a file of the worker
 * @returns every operator's state, or why it isn't known
 */
export async function readOperators(
  kubeconfig: string,
  signal: AbortSignal,
): Promise<{ operators: OperatorState[] } | Untold> {
  return await askCluster(kubeconfig, signal, async (configuration, { CustomObjectsApi }) => {
    const list = await configuration
      .makeApiClient(CustomObjectsApi)
      .listClusterCustomObject({ group: 'config.openshift.io', version: 'v1', plural: 'clusteroperators' });
    const { items } = listSchema.parse(list);
    const operators = items
      .filter(({ metadata }) => OPERATORS.includes(metadata.name))
      .map(({ metadata, status }) => {
        const progressing = status?.conditions.find(({ type }) => type === 'Progressing');
        return {
          operator: metadata.name,
          progressing: progressing?.status ?? 'Unknown',
          message: progressing?.message ?? '',
        };
      });
    const missing = OPERATORS.filter((name) => operators.every(({ operator }) => operator !== name));
    if (missing.length > 0) return { problem: `it has no ClusterOperator ${missing.join(', ')}` };
    return { operators };
  });
}
