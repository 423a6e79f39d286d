/** Checks for enough room before the first byte of a backup is written. */
import type { NamedStore } from '../../domain/configuration/stores.ts';
import { SalvorError } from '../../domain/errors.ts';
import { freeBytesAt } from '../files.ts';
import { folderOf } from './types.ts';

/**
 * Checks the disk of a store that has one.
 * @param bytes the most that the backup may take
 * @throws SalvorError `NoSpace` with both figures; an unreadable directory is left to the store's own check
 */
export async function requireRoom(store: NamedStore, bytes: number): Promise<void> {
  const folder = folderOf(store);
  const free = folder === undefined ? undefined : await freeBytesIfKnown(folder);
  if (free === undefined || free >= bytes) return;
  throw new SalvorError(
    'NoSpace',
    `store "${store.name}": ${folder} has ${free} bytes left, and the backup may need ${bytes}; make room on its disk, or prune`,
  );
}

/**
 * Checks the disk of the worker's scratch folder.
 * @throws SalvorError `NoSpace` with both figures
 */
export async function requireScratchRoom(folder: string, bytes: number): Promise<number | undefined> {
  const free = await freeBytesIfKnown(folder);
  if (free === undefined || free >= bytes) return free;
  throw new SalvorError(
    'NoSpace',
    `the worker's scratch folder ${folder} has ${free} bytes left, and the database needs ${bytes}; make room, or set SALVOR_SCRATCH to a folder on another disk`,
  );
}

async function freeBytesIfKnown(path: string): Promise<number | undefined> {
  return await freeBytesAt(path).catch(() => undefined);
}
