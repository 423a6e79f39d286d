/** When a cluster was installed, according to its own API. */
import { askCluster, type Untold } from './api/ask-cluster.ts';

/**
 * The creation of the namespace `kube-system`, which kube-apiserver makes at its first start.
 * @param kubeconfig a file of the worker
 * @returns the time in UTC, or why it isn't known
 */
export async function readInstalledAt(
  kubeconfig: string,
  signal: AbortSignal,
): Promise<{ installedAt: string } | Untold> {
  return await askCluster(kubeconfig, signal, async (configuration, { CoreV1Api }) => {
    const { metadata } = await configuration.makeApiClient(CoreV1Api).readNamespace({ name: 'kube-system' });
    const createdAt = metadata?.creationTimestamp;
    if (createdAt === undefined) return { problem: 'kube-system has no creation time' };
    return { installedAt: createdAt.toISOString() };
  });
}
