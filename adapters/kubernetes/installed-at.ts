/** When a cluster was installed, as its own API tells. */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { messageOf } from '../../domain/errors.ts';

const TIMEOUT_MS = 10_000;

/**
 * The creation of the namespace `kube-system`, which kube-apiserver makes at its first start.
 * @param kubeconfig a file of the worker
 * @returns the time in UTC, or why it can't be told: the API may be away while etcd can be backed up
 */
export async function readInstalledAt(
  kubeconfig: string,
  signal: AbortSignal,
): Promise<{ installedAt: string } | { problem: string }> {
  try {
    const configuration = new KubeConfig();
    configuration.loadFromFile(kubeconfig);
    const api = configuration.makeApiClient(CoreV1Api);
    const ended = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const { metadata } = await endedBy(api.readNamespace({ name: 'kube-system' }), ended);
    const createdAt = metadata?.creationTimestamp;
    if (createdAt === undefined) return { problem: 'kube-system has no creation time' };
    return { installedAt: createdAt.toISOString() };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: messageOf(error) };
  }
}

/** The client library has no time-out of its own. */
async function endedBy<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)), { once: true });
  return await Promise.race([work, promise]);
}
