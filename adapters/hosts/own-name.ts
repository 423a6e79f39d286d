/** What Salvor may delete on a node: its own files and directories, recognized by their names. */
import { basename } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';

/**
 * Part of the name of everything that Salvor may remove on a node: scratch files, journals, and set-aside data that is
 * about to be removed.
 */
export const OWN_MARK = '.salvor-';

/**
 * @throws SalvorError `UnsafeState` for a path without Salvor's own name
 */
export function refuseUnlessOwn(path: string, host: string): void {
  if (path.startsWith('/') && basename(path).includes(OWN_MARK)) return;
  throw new SalvorError(
    'UnsafeState',
    `${host}: ${path} was not removed: "${basename(path)}" is not a name of Salvor's own files, which contain "${OWN_MARK}"`,
  );
}
