/** Words for components that were started or stopped, and what to do about one that has died since. */
import type { ClusterNode } from '../../domain/configuration/nodes.ts';
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { FAILURES } from '../../domain/errors.ts';
import { failureTypeOf, isTimeout } from '../kit/failure.ts';

export function stoppedSo({ changed }: { changed: boolean }): string {
  return changed ? 'stopped' : 'already stopped';
}

export function startedSo({ changed }: { changed: boolean }): string {
  return changed ? 'started' : 'already running';
}

export function withApiServer({ nodes }: Cluster): ClusterNode[] {
  return nodes.filter((node) => node.apiServer !== undefined);
}

export interface Gate<T> {
  /** Gives up soon: by then a component that was just started either answers or has died. */
  glance: () => Promise<T>;
  /** Changes nothing if it is running. */
  startAgain: () => Promise<unknown>;
  /** Gives up late. */
  look: () => Promise<T>;
}

/** Waits at a gate. A component that was started and has died is started again before the gate gives up. */
export async function startUntilItHolds<T>({ glance, startAgain, look }: Gate<T>): Promise<T> {
  try {
    return await glance();
  } catch (error) {
    const type = failureTypeOf(error);
    if (!isTimeout(error) && (type === undefined || !FAILURES[type].retryable)) throw error;
    await startAgain();
    return await look();
  }
}
