/** Writes small objects once. */
import { Readable } from 'node:stream';
import { SalvorError } from '../../domain/errors.ts';
import type { Store } from './store.ts';

/**
 * Puts a small object; an existing object with the same content is accepted, since an earlier attempt wrote it.
 * @throws SalvorError `ArtifactExists` when an object with different content exists, and what the store throws
 */
export async function putOnce(store: Store, key: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
  try {
    await store.put(key, Readable.from([content]), { signal });
  } catch (error) {
    const isThere = error instanceof SalvorError && error.type === 'ArtifactExists';
    const there = isThere ? await store.read(key, signal) : undefined;
    if (there === undefined || !Buffer.from(content).equals(there)) throw error;
  }
}
