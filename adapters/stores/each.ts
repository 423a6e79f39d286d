/** Doing something in each of several stores, where one that fails costs only its own copy. */
import { SalvorError } from '../../domain/errors.ts';
import type { Store } from './store.ts';

export interface Tried {
  /** The stores where it was done. */
  done: string[];
  failing: { store: string; error: SalvorError }[];
}

/**
 * One store after the other.
 * @throws what is no SalvorError, and the signal's reason
 */
export async function inEachStore(
  stores: Store[],
  signal: AbortSignal,
  act: (store: Store) => Promise<unknown>,
): Promise<Tried> {
  const tried: Tried = { done: [], failing: [] };
  for (const store of stores) {
    try {
      await act(store);
      tried.done.push(store.name);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SalvorError)) throw error;
      tried.failing.push({ store: store.name, error });
    }
  }
  return tried;
}

/** Why each failing store did, for a report. */
export function reasonsOf({ failing }: Tried): { store: string; error: string }[] {
  return failing.map(({ store, error }) => ({ store, error: error.message }));
}

/** @throws SalvorError the first store's, when it was done in none */
export function requireAny({ done, failing: [first] }: Tried): void {
  if (first && done.length === 0) throw first.error;
}
