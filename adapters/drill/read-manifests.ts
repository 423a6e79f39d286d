/**
 * Reads the manifest of a backup in every store, always from the store itself: it may have changed since a catalogue
 * read it.
 */
import { SalvorError } from '../../domain/errors.ts';
import { formatManifest, type Manifest, parseManifest } from '../../domain/format/manifest.ts';
import { inItsPlace } from '../../domain/format/sealed.ts';
import { snapshotSourceOf } from '../../domain/format/snapshot-source.ts';
import type { Store } from '../stores/store.ts';
import type { DrillRecord } from './record.ts';

/**
 * @returns the first correct manifest, and the stores that have a correct one
 */
export async function readManifests(
  stores: Store[],
  key: string,
  record: DrillRecord,
  signal: AbortSignal,
): Promise<{ manifest: Manifest | undefined; stores: string[] }> {
  let first: { manifest: Manifest; store: string } | undefined;
  const right: string[] = [];
  for (const store of stores) {
    await record.inStore(`manifest in ${store.name}`, store.name, async () => {
      const bytes = await store.read(key, signal);
      if (bytes === undefined) return undefined;
      const where = `${key} in store "${store.name}"`;
      const manifest = inItsPlace(parseManifest(Buffer.from(bytes).toString(), where), key, where);
      if (first && formatManifest(first.manifest) !== formatManifest(manifest)) {
        throw new SalvorError(
          'BackupCorrupt',
          `${where} differs from the one in "${first.store}"; one of them was written later`,
        );
      }
      // A manifest that describes no snapshot belongs to no backup.
      snapshotSourceOf(manifest);
      first ??= { manifest, store: store.name };
      right.push(store.name);
      return 'unchanged';
    });
  }
  return { manifest: first?.manifest, stores: right };
}
