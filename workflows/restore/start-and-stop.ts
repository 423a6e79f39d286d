/** What is said of a component that was started or stopped, and how one that has died since is dealt with. */
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
  /** Given up soon: what was just started is there by then, or has died. */
  glance: () => Promise<T>;
  /** Changes nothing where it runs. */
  startAgain: () => Promise<unknown>;
  /** Given up late. */
  look: () => Promise<T>;
}

/** Waits at a gate. What was started and has died since is started again before the gate is given up. */
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
