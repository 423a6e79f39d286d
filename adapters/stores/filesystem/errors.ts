/** What the errors of a file system mean for a store. */
import { type FailureType, messageOf, SalvorError } from '../../../domain/errors.ts';

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

/** The code of a system error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A SalvorError for what a file operation of a store threw; one that is a SalvorError already stays as it is. */
export function filesystemError(error: unknown, store: string, what: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const type = MEANINGS[codeOf(error) ?? ''] ?? 'StoreUnavailable';
  return new SalvorError(type, `store "${store}", ${what}: ${messageOf(error)}${ADVICE[type] ?? ''}`, { cause: error });
}
