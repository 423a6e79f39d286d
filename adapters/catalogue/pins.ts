/** Pins: notes that keep a backup from being pruned. */
import type { Catalogue } from '../../domain/backups/found-backup.ts';
import { SalvorError } from '../../domain/errors.ts';
import { pinnedKey } from '../../domain/format/keys.ts';
import { chooseBackup } from './catalogue.ts';
import type { FoundBackup } from '../../domain/backups/found-backup.ts';
import type { Store } from '../stores/store.ts';

/**
 * Pins a backup in every store that holds part of it, or removes its pins. A repetition changes nothing.
 * @param stores those of the catalogue
 * @returns the backup's name and the stores that have a pin now, or had one
 * @throws SalvorError `UnknownBackup`; `StoreUnavailable` when a store that may hold a pin can't be read;
 * `AccessDenied` when a lock keeps one
 */
export async function setPin(
  catalogue: Catalogue,
  stores: Store[],
  { backup, pinned, now }: { backup: string; pinned: boolean; now: Date },
  signal: AbortSignal,
): Promise<{ backup: string; stores: string[] }> {
  const found = chooseBackup(catalogue, backup);
  const key = pinnedKey(catalogue.cluster, found.nodeAddress, found.entry.backup);
  const readable = stores.filter(({ name }) => catalogue.unreadable.every(({ store }) => store !== name));
  const there = readable.filter(({ name }) => found.objects.some(({ store }) => store === name));
  if (pinned) await pin(found, there, key, now, signal);
  else await unpin(catalogue, there, key, signal);
  return { backup: found.entry.backup, stores: there.map(({ name }) => name) };
}

async function pin(found: FoundBackup, stores: Store[], key: string, now: Date, signal: AbortSignal): Promise<void> {
  const text = JSON.stringify({ formatVersion: 1, backup: found.entry.backup, pinnedAt: now.toISOString() }, null, 2);
  for (const store of stores) {
    if (await store.head(key, signal)) continue;
    await store.replace(key, Buffer.from(`${text}\n`), signal);
  }
}

async function unpin(catalogue: Catalogue, stores: Store[], key: string, signal: AbortSignal): Promise<void> {
  const [unread] = catalogue.unreadable;
  if (unread) {
    throw new SalvorError(
      'StoreUnavailable',
      `store "${unread.store}" can't be read, and a pin in it would still count: ${unread.error}`,
    );
  }
  for (const store of stores) {
    if ((await store.remove(key, signal)) !== 'locked') continue;
    throw new SalvorError(
      'AccessDenied',
      `store "${store.name}" keeps the pin ${key} under a lock; the pin counts until the lock ends`,
    );
  }
}
