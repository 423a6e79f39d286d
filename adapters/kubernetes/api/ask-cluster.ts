/**
 * Asks a cluster through its own API. The API may be away while etcd can be backed up: then the reason is the answer.
 */
import type * as Kubernetes from '@kubernetes/client-node';
import { messageOf } from '../../../domain/errors.ts';
import { unlessAborted } from '../../unless-aborted.ts';

const TIMEOUT_MS = 10_000;

/** Why the cluster gave no answer. */
export interface Untold {
  problem: string;
}

/**
 * The answer that `ask` got, or why it got none.
 * @param kubeconfig a file of the worker
 * @param ask is passed the client library as well, which is loaded only here: it takes 80 MiB, and many workers never
 * need it
 * @throws the signal's reason on abort
 */
export async function askCluster<T>(
  kubeconfig: string,
  signal: AbortSignal,
  ask: (configuration: Kubernetes.KubeConfig, library: typeof Kubernetes) => Promise<T>,
): Promise<T | Untold> {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const library = await import('@kubernetes/client-node');
    const configuration = new library.KubeConfig();
    configuration.loadFromFile(kubeconfig);
    // The client library has no timeout of its own.
    return await unlessAborted(ask(configuration, library), AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    return { problem: late.aborted ? `no answer within ${TIMEOUT_MS / 1_000} s` : messageOf(error) };
  }
}
