/** The names of Salvor's own scratch files and directories on a node. */
import { basename } from 'node:path';
import { SalvorError } from '../../domain/errors.ts';

/** In the last part of the path of everything that Salvor may remove on a node. */
export const SCRATCH_MARK = '.salvor-';

/** Whether a path is named as Salvor's scratch; only such a path is ever removed. */
export function isScratch(path: string): boolean {
  return path.startsWith('/') && basename(path).includes(SCRATCH_MARK);
}

/** @throws SalvorError `UnsafeState` for a path that isn't Salvor's scratch */
export function refuseUnlessScratch(path: string, host: string): void {
  if (isScratch(path)) return;
  throw new SalvorError(
    'UnsafeState',
    `${host}: ${path} is not removed: "${basename(path)}" is not a name of Salvor's own scratch files, which have "${SCRATCH_MARK}" in it`,
  );
}
