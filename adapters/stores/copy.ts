/** Copies between stores, and proves that a copy has the expected bytes. */
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import { Digester } from '../encoding/streams.ts';
import type { Store } from './store.ts';

/**
 * Copies an object under the same key; if the store can, it continues what an earlier attempt sent. The copy comes into
 * existence only with the expected bytes; an existing one is read back instead.
 * @throws SalvorError `BackupCorrupt` when either store has wrong bytes, and what the stores throw
 */
export async function copyArtifact(
  from: Store,
  to: Store,
  key: string,
  expected: Digest,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  const source = await from.get(key, signal);
  const body = compared(source, expected, from.name, key);
  const options = { signal, ...(onProgress && { onProgress }) };
  try {
    if (to.resume) await to.resume(key, body, options);
    else await to.put(key, body, options);
  } catch (error) {
    source.destroy();
    if (!(error instanceof SalvorError) || error.type !== 'ArtifactExists') throw error;
    await readBack(to, key, expected, signal, onProgress);
  }
}

/**
 * Reads a stored object back, from its first byte to its last.
 * @throws SalvorError `BackupCorrupt` when its size or SHA-256 is not the expected one, `ArtifactMissing`, or what else
 * the store throws
 */
export async function readBack(
  store: Store,
  key: string,
  expected: Digest,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of compared(await store.get(key, signal), expected, store.name, key)) {
    bytes += chunk.length;
    onProgress?.(bytes);
  }
}

/** Passes a stream on, and ends with an error if it was not the expected one. */
async function* compared(
  source: AsyncIterable<Uint8Array>,
  expected: Digest,
  store: string,
  key: string,
): AsyncGenerator<Uint8Array, void> {
  const digester = new Digester();
  yield* digester.through(source);
  const { bytes, sha256 } = digester.digest();
  if (bytes === expected.bytes && sha256 === expected.sha256) return;
  throw new SalvorError(
    'BackupCorrupt',
    `${key} in store "${store}" has ${bytes} bytes and SHA-256 ${sha256}; expected ${expected.bytes} bytes and ${expected.sha256}. Use another store's copy`,
  );
}
