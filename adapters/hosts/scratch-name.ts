/** The names of Salvor's own scratch files and directories on a node. */
import { basename } from 'node:path';

/** In the last part of the path of everything that Salvor may remove on a node. */
export const SCRATCH_MARK = '.salvor-';

/** Whether a path is named as Salvor's scratch; only such a path is ever removed. */
export function isScratch(path: string): boolean {
  return path.startsWith('/') && basename(path).includes(SCRATCH_MARK);
}
