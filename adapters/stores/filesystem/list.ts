/** Lists a directory tree in the order in which an S3 store lists the same keys. */
import type { StoredObject } from '../../../domain/backups/found-backup.ts';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../../system-errors.ts';
import { linked } from './links.ts';

const STATS_AT_ONCE = 64;

/**
 * Every file below `root` whose key begins with the prefix, in key order. Hidden names and linked files are left out;
 * directories that can't match are not read.
 * @throws SalvorError `StoreMissing` for a directory that is a link
 */
export async function* listFiles(
  place: { name: string; root: string },
  prefix: string,
  signal: AbortSignal,
  directory = '',
): AsyncGenerator<StoredObject, void> {
  const { root } = place;
  signal.throwIfAborted();
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch(absent);
  await refuseLinked(place, directory, entries ?? [], prefix);
  // A directory sorts as its keys do: with the slash.
  const keys = (entries ?? [])
    .filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()))
    .map((entry) => `${directory}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .filter((key) => key.startsWith(prefix) || (key.endsWith('/') && prefix.startsWith(key)))
    .sort((a, b) => (a < b ? -1 : 1));
  let files: string[] = [];
  for (const key of keys) {
    if (!key.endsWith('/')) {
      files.push(key);
      if (files.length < STATS_AT_ONCE) continue;
    }
    yield* await statAll(root, files);
    files = [];
    signal.throwIfAborted();
    if (key.endsWith('/')) yield* listFiles(place, prefix, signal, key);
  }
  yield* await statAll(root, files);
}

/** What is behind it was perhaps written there, and would be neither listed nor pruned. */
async function refuseLinked(
  { name, root }: { name: string; root: string },
  directory: string,
  entries: Dirent[],
  prefix: string,
): Promise<void> {
  for (const entry of entries) {
    const key = `${directory}${entry.name}/`;
    if (!entry.isSymbolicLink() || entry.name.startsWith('.')) continue;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    const path = join(root, directory, entry.name);
    if ((await stat(path).catch(() => undefined))?.isDirectory()) throw linked(name, path);
  }
}

async function statAll(root: string, keys: string[]): Promise<StoredObject[]> {
  const found = await Promise.all(
    keys.map(async (key) => {
      const stats = await stat(join(root, key)).catch(absent);
      return stats && { key, bytes: stats.size, modifiedAt: stats.mtime };
    }),
  );
  return found.filter((object) => object !== undefined);
}

// A file that was removed in the meantime is not an error.
function absent(error: unknown): undefined {
  if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
  throw error;
}
