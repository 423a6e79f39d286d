/** Removes objects that a failed attempt wrote. */
import { messageOf } from '../../domain/errors.ts';
import type { Store } from './store.ts';

const TIMEOUT_MS = 30_000;

/**
 * Removes what a failed or killed attempt left of an object in the stores, whole or in parts; no manifest ever pointed
 * to it.
 */
export async function takeBack(stores: Store[], key: string): Promise<void> {
  for (const store of stores) {
    try {
      await store.remove(key, AbortSignal.timeout(TIMEOUT_MS));
      // The process that wrote them is gone, whatever its clock said.
      await store.sweepParts(key, -Infinity, AbortSignal.timeout(TIMEOUT_MS));
    } catch (error) {
      // Pruning will find it later; the failure that led here matters more.
      process.emitWarning(`${store.name}: ${key} could not be removed: ${messageOf(error)}`);
    }
  }
}
