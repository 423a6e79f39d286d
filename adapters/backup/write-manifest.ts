/** The manifest of a backup: a backup exists once its manifest does. */
import { FAILURES } from '../../domain/errors.ts';
import { manifestKey } from '../../domain/format/keys.ts';
import { formatManifest, type Manifest } from '../../domain/format/manifest.ts';
import { inEachStore, reasonsOf, requireAny } from '../stores/each.ts';
import { putOnce } from '../stores/put-once.ts';
import type { Store } from '../stores/store.ts';

/**
 * Writes the manifest to every store that has an artifact of the backup. A store that fails to take it loses only its
 * own copy.
 * @param options.lastTry whether this is the last attempt: earlier attempts throw a failure that may pass
 * @throws SalvorError of a store whose failure may pass, and of the first one when none has taken it
 */
export async function writeManifest(
  stores: Store[],
  manifest: Manifest,
  { lastTry, signal }: { lastTry: boolean; signal: AbortSignal },
): Promise<{ key: string; stores: string[]; failing?: { store: string; error: string }[] }> {
  const holders = new Set(manifest.artifacts.flatMap((artifact) => artifact.stores));
  const key = manifestKey(manifest.cluster, manifest.node.address, manifest.backup);
  const content = Buffer.from(formatManifest(manifest));
  const tried = await inEachStore(
    stores.filter(({ name }) => holders.has(name)),
    signal,
    async (store) => await putOnce(store, key, content, signal),
  );
  const passing = tried.failing.find(({ error }) => FAILURES[error.type].retryable);
  if (passing && !lastTry) throw passing.error;
  requireAny(tried);
  const failing = reasonsOf(tried);
  return { key, stores: tried.done, ...(failing.length > 0 && { failing }) };
}
