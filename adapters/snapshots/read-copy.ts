/** Reads one store's copy of an artifact, which is decrypted, decompressed and compared with the manifest. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import { decode } from '../encoding/decode.ts';
import type { StreamCompression } from '../encoding/compress.ts';
import type { Digests } from '../encoding/encode.ts';
import { readBack } from '../stores/copy.ts';
import type { Store } from '../stores/store.ts';

export interface Copy {
  key: string;
  compression: StreamCompression;
  encrypted: boolean;
  /** Absent without a manifest. */
  expected?: Digests;
}

/**
 * Streams the content to `sink`, which must discard what it got if this throws.
 * @throws SalvorError `BackupCorrupt`, `DecryptionFailed`, `InvalidConfiguration`, and what the store and the sink
 * throw
 */
export async function readCopy<T>(
  cluster: Cluster,
  store: Store,
  { key, compression, encrypted, expected }: Copy,
  sink: (content: AsyncIterable<Uint8Array>, where: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const where = `${key} in ${store.name}`;
  const identities = cluster.encryption?.identities ?? [];
  try {
    const stored = await store.get(key, signal);
    return await sink(
      decode(stored, { compression, encrypted, identities, where, ...(expected && { expected }) }),
      where,
    );
  } catch (error) {
    // No identity fits a damaged header either: the bytes themselves show which it is.
    if (error instanceof SalvorError && error.type === 'DecryptionFailed' && expected) {
      await readBack(store, key, expected.stored, signal);
    }
    throw error;
  }
}
