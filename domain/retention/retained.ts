/** What a store's retention says of the backups in a catalogue. No I/O. */
import type { Cluster } from '../configuration/resolve.ts';
import { type FoundBackup, isIntended, lackedBy, type LocatedObject } from '../backups/found-backup.ts';
import { decideRetention, type RetentionCandidate } from './decide.ts';

/** A backup as one store sees it. */
export interface BackupInStore extends RetentionCandidate {
  found: FoundBackup;
  /** All that this store has of it. */
  objects: LocatedObject[];
}

/**
 * What one store sees of a backup, whatever the others have of it: half of one is `broken` here, wherever else it is
 * complete.
 * @returns undefined when there is nothing of it
 */
export function seenBy(store: string, found: FoundBackup): BackupInStore | undefined {
  const objects = found.objects.filter((object) => object.store === store);
  if (objects.length === 0) return undefined;
  const { entry, nodeAddress, manifest } = found;
  const { backup, takenAt, proof, pinned } = entry;
  const isWhole = manifest !== undefined && lackedBy(store, manifest, objects).length === 0;
  const state = entry.state === 'foreign' ? 'foreign' : isWhole ? 'complete' : 'broken';
  const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
  return { found, objects, backup, nodeAddress, takenAt, state, proof, pinned, bytes };
}

/**
 * Takes off the missing copies those that their store would not keep if it had them: they were pruned, not lost. The
 * stores are the only truth, so it is their rules that tell the one from the other.
 */
export function withoutPruned(cluster: Cluster, entries: FoundBackup[], now: Date): FoundBackup[] {
  const unwanted = new Map<FoundBackup, string[]>();
  for (const { name, retention = {} } of cluster.stores) {
    const lacking = entries.filter(({ missing }) => missing.some(({ store }) => store === name));
    if (lacking.length === 0) continue;
    const isLacking = new Set(lacking);
    const candidates = entries.flatMap((found) =>
      isLacking.has(found) ? asIfWhole(name, found) : (seenBy(name, found) ?? []),
    );
    for (const { backup } of decideRetention(candidates, retention, { now, includeForeign: false }).removed) {
      unwanted.set(backup.found, [...(unwanted.get(backup.found) ?? []), name]);
    }
  }
  return entries.map((found) => {
    const stores = unwanted.get(found);
    if (stores === undefined) return found;
    return { ...found, missing: found.missing.filter(({ store }) => !stores.includes(store)) };
  });
}

function asIfWhole(store: string, found: FoundBackup): BackupInStore {
  const { entry, nodeAddress, manifest } = found;
  const wanted = manifest?.artifacts.filter((artifact) => isIntended(manifest, artifact, store)) ?? [];
  return {
    found,
    objects: [],
    backup: entry.backup,
    nodeAddress,
    takenAt: entry.takenAt,
    state: 'complete',
    // Neither brings a copy back that the rules have let go.
    proof: null,
    pinned: false,
    bytes: wanted.reduce((sum, { stored }) => sum + stored.bytes, 0),
  };
}
