/** What Salvor may delete on a node: its own files and directories, known by their names. */
import { basename } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';

/**
 * In the last part of the path of everything that Salvor may remove on a node: scratch, journals, and what is moved
 * aside once it is to go.
 */
export const OWN_MARK = '.salvor-';

/** @throws SalvorError `UnsafeState` for a path that isn't named as Salvor's own */
export function refuseUnlessOwn(path: string, host: string): void {
  if (path.startsWith('/') && basename(path).includes(OWN_MARK)) return;
  throw new SalvorError(
    'UnsafeState',
    `${host}: ${path} is not removed: "${basename(path)}" is not a name of Salvor's own files, which have "${OWN_MARK}" in it`,
  );
}
