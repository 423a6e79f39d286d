/**
 * Caches manifests and drill results for the life of the process. Each list of backups reads them all, and they change
 * only by being replaced, which changes their time or size.
 */
import type { StoredObject } from '../../domain/backups/found-backup.ts';
import type { Store } from '../stores/store.ts';

/** Each takes about 5 KiB. */
const MOST = 20_000;

const cache = new Map<string, { version: string; value: unknown }>();

/**
 * What `parse` made of the object when it was last read; the object is read if it is new. Undefined when it is gone.
 */
export async function readNote<T>(
  store: Store,
  { key, bytes, modifiedAt }: StoredObject,
  parse: (text: string, where: string) => T,
  signal: AbortSignal,
): Promise<T | undefined> {
  const id = `${store.location} ${key}`;
  const version = `${modifiedAt.getTime()} ${bytes}`;
  const cached = cache.get(id);
  // The same key is always parsed the same way: its name determines its kind.
  if (cached?.version === version) return cached.value as T;
  const read = await store.read(key, signal);
  if (read === undefined) return undefined;
  const value = parse(Buffer.from(read).toString(), `${key} in store "${store.name}"`);
  cache.delete(id);
  cache.set(id, { version, value });
  const oldest = cache.keys().next();
  if (cache.size > MOST && !oldest.done) cache.delete(oldest.value);
  return value;
}
