/** Streams a snapshot from a store to where it is needed; it is decrypted, decompressed and checked on the way. */
import type { Cluster } from '../../domain/configuration/resolve.ts';
import { SalvorError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/format/manifest.ts';
import type { SnapshotSource } from '../../domain/format/snapshot-source.ts';
import { checkSnapshot } from './integrity.ts';
import { openStore } from '../stores/types.ts';
import { readCopy } from './read-copy.ts';

/**
 * Streams the snapshot from one of the stores that have it to `sink`, which must discard what it got if this throws.
 * Every byte is compared: the stored digest, the content's digest, and the SHA-256 that etcd put at the end.
 * @param sink writes the bytes somewhere and returns the digest of what it wrote
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
    `${source.key} is in ${source.stores.join(', ') || 'no store'}, and ${cluster.name} no longer has any of these stores; add one of them to its stores again`,
  );
  for (const named of stores) {
    const store = await openStore(named);
    try {
      const toSink = async (body: AsyncIterable<Uint8Array>, where: string) =>
        await sink(checkSnapshot(body, where, { skipHashCheck: source.skipHashCheck ?? false }));
      return { store: named.name, content: await readCopy(cluster, store, source, toSink, signal) };
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    } finally {
      store.close();
    }
  }
  throw failure;
}
