/** Does something in each of several stores; a store that fails loses only its own copy. */
import { SalvorError } from '../../domain/errors.ts';
import type { Store } from './store.ts';

export interface Tried {
  /** The stores where it succeeded. */
  done: string[];
  failing: { store: string; error: SalvorError }[];
}

/**
 * Acts on one store after the other.
 * @throws any error that is not a SalvorError, and the signal's reason
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

/** Why each failing store failed, for a report. */
export function reasonsOf({ failing }: Tried): { store: string; error: string }[] {
  return failing.map(({ store, error }) => ({ store, error: error.message }));
}

/**
 * @throws SalvorError of the first store, when it succeeded in none
 */
export function requireAny({ done, failing: [first] }: Tried): void {
  if (first && done.length === 0) throw first.error;
}
