/**
 * Questions to a cluster through its own API. It may be away while etcd can be backed up: then the reason is the
 * answer.
 */
import type * as Kubernetes from '@kubernetes/client-node';
import { messageOf } from '../../../domain/errors.ts';
import { unlessAborted } from '../../unless-aborted.ts';

const TIMEOUT_MS = 10_000;

/** Why the cluster doesn't tell. */
export interface Untold {
  problem: string;
}

/**
 * What `ask` was told, or why it can't be told.
 * @param kubeconfig a file of the worker
 * @param ask gets the client library as well: loaded only here, since it takes 80 MiB of a worker that may never need
 * it
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
    // The client library has no time-out of its own.
    return await unlessAborted(ask(configuration, library), AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    return { problem: late.aborted ? `no answer within ${TIMEOUT_MS / 1_000} s` : messageOf(error) };
  }
}
