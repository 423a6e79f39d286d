/** Applies the retention of stores to the backups of a catalogue. No I/O. */
import type { Cluster } from '../configuration/resolve.ts';
import { type FoundBackup, isIntended, lackedBy, type LocatedObject } from '../backups/found-backup.ts';
import { decideRetention, type RetentionCandidate } from './decide.ts';

/** A backup as one store sees it. */
export interface BackupInStore extends RetentionCandidate {
  found: FoundBackup;
  /** Everything that this store has of it. */
  objects: LocatedObject[];
}

/**
 * The backup as one store sees it, whatever the other stores have: if the store has only a part of it, it is `broken`
 * here, even if it is complete in another store.
 * @returns undefined when the store has nothing of it
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
 * Removes from the missing copies those that their store would not keep if it had them: they were pruned, not lost.
 * Nothing else records what was pruned, so only the rules can tell a pruned copy from a lost one.
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
    // A proof or pin doesn't bring back a copy that the rules have already removed.
    proof: null,
    pinned: false,
    bytes: wanted.reduce((sum, { stored }) => sum + stored.bytes, 0),
  };
}
