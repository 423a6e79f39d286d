/** Folders on the worker for temporary files. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode } from '../system-errors.ts';
import { endLeftovers } from './process.ts';
import { isAbandoned, own } from './owner.ts';
import { cacheDirectory, environmentVariable } from '../environment.ts';

/** The end of the name of a folder that is being removed. */
const SWEPT = '.salvor-swept';

/** `SALVOR_SCRATCH`, else a folder of the cache: on disk rather than in memory. */
export function scratchRoot(): string {
  return environmentVariable('SALVOR_SCRATCH') ?? join(cacheDirectory(), 'scratch');
}

/**
 * A folder for one piece of work, removed when it ends. The name identifies the work, so a retry on this machine first
 * removes the remains of a killed process.
 */
export async function withScratch<T>(
  name: string,
  work: (directory: string) => Promise<T>,
  root: string = scratchRoot(),
): Promise<T> {
  const directory = join(root, name.replaceAll(/[^A-Za-z0-9.-]+/g, '_'));
  await endLeftovers(directory);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const owned = await own(directory);
  try {
    return await work(directory);
  } finally {
    owned.end();
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Removes the folders whose process is gone, and ends what it left running there: the work may have been retried
 * elsewhere, or given up. Folders without an owner file of Salvor's stay.
 * @returns how many were removed
 */
export async function sweepScratch(root: string = scratchRoot()): Promise<number> {
  const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  });
  let swept = 0;
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    let directory = join(root, name);
    if (!name.endsWith(SWEPT)) {
      if (!(await isAbandoned(directory))) continue;
      await endLeftovers(directory);
      // A retry of the work may begin there at any moment: it must find the whole folder or nothing.
      await rename(directory, `${directory}${SWEPT}`);
      directory += SWEPT;
    }
    await rm(directory, { recursive: true, force: true });
    swept += 1;
  }
  return swept;
}
