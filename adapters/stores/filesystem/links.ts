/** Symbolic links below a store's root: none is followed, by whatever is asked for. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { SalvorError } from '../../../domain/errors.ts';
import { hasErrorCode } from '../../system-errors.ts';

/** Looks at the directories of a key, each once for as long as the store is open. */
export function linkGuard(store: string, root: string): (key: string) => Promise<void> {
  const known = new Set<string>();
  return async (key) => {
    const parts = key.split('/').slice(0, -1);
    for (const index of parts.keys()) {
      const directory = join(root, ...parts.slice(0, index + 1));
      if (known.has(directory)) continue;
      const found = await lstat(directory).catch((error: unknown) => {
        if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw error;
      });
      if (found === undefined) return;
      if (found.isSymbolicLink()) throw linked(store, directory);
      known.add(directory);
    }
  };
}

/** The same words for what is written, read, listed and removed. */
export function linked(store: string, directory: string): SalvorError {
  return new SalvorError(
    'StoreMissing',
    `store "${store}": ${directory} is a symbolic link, and none is followed below a store's directory. Mount the disk there (a bind mount does), or give the store the place itself as its "path"`,
  );
}
