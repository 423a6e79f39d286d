/** The keys that a store accepts. */
import { SalvorError } from '../../domain/errors.ts';

/** The most that `Store.read` accepts: manifests are far smaller. */
export const SMALL_OBJECT_BYTES = 4 * 1024 * 1024;

/** The one hidden name that a store takes: at its root its ID, in a cluster's folder what others are there. */
export const IDENTITY_NAME = '.salvor-store';

/**
 * Refuses a key that could lead out of the store's root, or that `list` would never show.
 * @throws SalvorError `InvalidInput`
 */
export function checkKey(store: string, key: string): void {
  const parts = key.split('/');
  if (parts.at(-1) === IDENTITY_NAME) parts.pop();
  if (parts.every((part) => part !== '' && !part.startsWith('.') && !part.includes('\0'))) return;
  throw new SalvorError(
    'InvalidInput',
    `store "${store}" does not accept the key ${JSON.stringify(key)}: expected names with "/" between them, none empty and none beginning with "."`,
  );
}

/** Whether a part of the key begins with a dot: partial files, and the objects of `check`. */
export function isHidden(key: string): boolean {
  return key.startsWith('.') || key.includes('/.');
}

/** The error of `Store.read` for an object that can't be a manifest. */
export function tooLarge(store: string, key: string, bytes: number): SalvorError {
  return new SalvorError(
    'BackupCorrupt',
    `${key} in store "${store}" has ${bytes} bytes; expected at most ${SMALL_OBJECT_BYTES}: it can't be what its name says`,
  );
}
