/** Brings a snapshot from a store to where it is needed, decrypted, decompressed and checked on the way. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/manifest.ts';
import type { SnapshotSource } from '../../domain/snapshot-source.ts';
import { decode } from '../encoding/decode.ts';
import { checkSnapshot } from '../etcd/integrity.ts';
import { openStore } from '../stores/open.ts';

/**
 * Streams the snapshot out of one of the stores that have it to `sink`, which must not keep what it got when this throws.
 * Every byte is compared: the stored digest, the content's digest, and the SHA-256 that etcd put at the end.
 * @param sink writes the bytes somewhere and gives the digest of what it wrote
 * @throws SalvorError `BackupCorrupt`, `ArtifactMissing`, `DecryptionFailed`, or what the last store threw
 */
export async function fetchSnapshot(
  cluster: Cluster,
  source: SnapshotSource,
  sink: (body: AsyncIterable<Uint8Array>) => Promise<Digest>,
  signal: AbortSignal,
): Promise<{ store: string; content: Digest }> {
  const stores = source.stores.flatMap((name) => cluster.stores.filter((store) => store.name === name));
  let failure: unknown = new SalvorError(
    'ArtifactMissing',
    `${source.key} lies in ${source.stores.join(', ') || 'no store'}, and none of these is a store of ${cluster.name} any more`,
  );
  for (const named of stores) {
    const store = await openStore(named);
    try {
      const stored = await store.get(source.key, signal);
      const where = `${source.key} in ${named.name}`;
      const content = decode(stored, {
        compression: source.compression,
        encrypted: source.encrypted,
        identities: cluster.encryption?.identities ?? [],
        where,
        ...(source.expected && { expected: source.expected }),
      });
      return { store: named.name, content: await sink(checkSnapshot(content, where, 'BackupCorrupt')) };
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    } finally {
      store.close();
    }
  }
  throw failure;
}
