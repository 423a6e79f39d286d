/** Whether there is room for a backup before the first byte of it is written. */
import type { NamedStore } from '../../domain/configuration/stores.ts';
import { SalvorError } from '../../domain/errors.ts';
import { freeBytesAt } from '../files.ts';
import { folderOf } from './types.ts';

/**
 * Looks at the disk of a store that has one.
 * @param bytes what the backup may take
 * @throws SalvorError `NoSpace` with both figures; a directory that can't be looked at is left to the store's own check
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
 * Looks at the disk of the worker's scratch folder.
 * @throws SalvorError `NoSpace` with both figures
 */
export async function requireScratchRoom(folder: string, bytes: number): Promise<number | undefined> {
  const free = await freeBytesIfKnown(folder);
  if (free === undefined || free >= bytes) return free;
  throw new SalvorError(
    'NoSpace',
    `the worker's scratch folder ${folder} has ${free} bytes left, and the database needs ${bytes}; make room, or set SALVOR_SCRATCH to another disk`,
  );
}

async function freeBytesIfKnown(path: string): Promise<number | undefined> {
  return await freeBytesAt(path).catch(() => undefined);
}
