/** What the errors of a file system mean for a store. */
import { type FailureType, messageOf, SalvorError } from '../../../domain/errors.ts';
import { codeOf } from '../../system-errors.ts';

const MEANINGS: Record<string, FailureType> = {
  ENOSPC: 'NoSpace',
  EDQUOT: 'NoSpace',
  EACCES: 'AccessDenied',
  EPERM: 'AccessDenied',
  EROFS: 'AccessDenied',
};

const ADVICE: Partial<Record<FailureType, string>> = {
  NoSpace: '; make room on its disk, or prune',
  AccessDenied: '; let the worker’s user read and write there',
};

/** Turns the error of a store's file operation into a SalvorError; a SalvorError stays as it is. */
export function filesystemError(error: unknown, store: string, what: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const type = MEANINGS[codeOf(error) ?? ''] ?? 'StoreUnavailable';
  return new SalvorError(type, `store "${store}", ${what}: ${messageOf(error)}${ADVICE[type] ?? ''}`, { cause: error });
}
