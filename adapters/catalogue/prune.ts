/**
 * Removes backups from a store in an order in which a kill at any moment leaves no incomplete backup that looks whole.
 */
import type { Catalogue } from '../../domain/backups/found-backup.ts';
import { parseKey } from '../../domain/format/keys.ts';
import { type FoundBackup, isNote, type LocatedObject } from '../../domain/backups/found-backup.ts';
import { inParallel } from '../stores/in-parallel.ts';
import { looksForeign, type NamedBackup } from './prune-plan.ts';
import { putOnce } from '../stores/put-once.ts';
import type { Store } from '../stores/store.ts';

const REMOVALS_AT_ONCE = 8;

/**
 * Removes everything that a store has of the backups. It continues what an earlier attempt began; objects that are
 * already gone are fine.
 * @param stores all readable stores: a drill result that only this store has is copied to one that keeps the backup
 * @returns the backups that stay after all, and why
 */
export async function removeBackups(
  catalogue: Catalogue,
  store: Store,
  stores: Store[],
  backups: NamedBackup[],
  signal: AbortSignal,
): Promise<{ backup: string; reason: string }[]> {
  const outcomes = await inParallel(backups, REMOVALS_AT_ONCE, async (named) => {
    const found = catalogue.entries.find(
      ({ entry, nodeAddress }) => entry.backup === named.backup && nodeAddress === named.nodeAddress,
    );
    const objects = [...(found?.objects ?? []), ...leftOf(named, found, catalogue)];
    const here = objects.filter((object) => object.store === store.name);
    if (found?.entry.pinned) return { backup: named.backup, reason: 'pinned' };
    if (found) await handOnProof(found, store, stores, signal);
    const isLocked = (await removeInOrder(store, here, signal)) === 'locked';
    return isLocked ? { backup: named.backup, reason: 'locked by the store' } : [];
  });
  return outcomes.flat();
}

/** Without its manifest, what is left belongs to no backup. */
function leftOf({ backup }: NamedBackup, found: FoundBackup | undefined, { orphans }: Catalogue): LocatedObject[] {
  if (found?.manifest) return [];
  return orphans.filter((object) => parseKey(object.key)?.backup === backup && !looksForeign(object));
}

/**
 * The manifest goes first: without it the backup is gone. Pins and drill results go last: they say what the rest was.
 */
async function removeInOrder(
  store: Store,
  objects: LocatedObject[],
  signal: AbortSignal,
): Promise<'removed' | 'locked'> {
  const manifest = objects.find(({ kind }) => kind === 'manifest');
  const text = manifest && (await store.read(manifest.key, signal));
  const rank = ({ kind }: LocatedObject) => (kind === 'manifest' ? 0 : isNote(kind) ? 2 : 1);
  for (const { key } of objects.toSorted((a, b) => rank(a) - rank(b))) {
    if ((await store.remove(key, signal)) !== 'locked') continue;
    // This lock did not show before: the backup that it keeps must stay a backup.
    if (manifest && text && key !== manifest.key) await putOnce(store, manifest.key, text, signal);
    return 'locked';
  }
  return 'removed';
}

async function handOnProof(found: FoundBackup, store: Store, stores: Store[], signal: AbortSignal): Promise<void> {
  const proof = found.objects.find((object) => object.kind === 'verified' && object.store === store.name);
  const text = proof && (await store.read(proof.key, signal));
  if (!text) return;
  const has = (name: string, kind: LocatedObject['kind']) =>
    found.objects.some((object) => object.store === name && object.kind === kind);
  for (const other of stores.filter(({ name }) => has(name, 'manifest') && !has(name, 'verified'))) {
    await other.replace(proof.key, text, signal);
  }
}

/**
 * Removes objects that belong to no backup.
 * @returns the keys that are gone; a locked object is not removed
 */
export async function removeOrphans(store: Store, keys: string[], signal: AbortSignal): Promise<string[]> {
  const gone = await inParallel(keys, REMOVALS_AT_ONCE, async (key) =>
    (await store.remove(key, signal)) === 'locked' ? [] : [key],
  );
  return gone.flat();
}
