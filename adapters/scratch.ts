/** Room on the worker for what must be a file for a while. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endLeftovers } from './scratch-process.ts';
import { cacheDirectory, environmentVariable } from '../tools/environment.ts';

/** `SALVOR_SCRATCH`, else a folder of the cache: on disk rather than in memory. */
export function scratchRoot(): string {
  return environmentVariable('SALVOR_SCRATCH') ?? join(cacheDirectory(), 'scratch');
}

/**
 * A folder for one piece of work, removed when it ends. The name is the work's own, so that a retry of it on this machine first removes
 * what a killed process left.
 */
export async function withScratch<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = join(scratchRoot(), name.replaceAll(/[^A-Za-z0-9.-]+/g, '_'));
  await endLeftovers(directory);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
