/** From what the file system throws to the failures that Salvor reports. */
import { messageOf, SalvorError } from '../../domain/errors.ts';

/** Whether an error is one of the system's, with one of these codes. */
export function hasErrorCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/**
 * @param what the act, as in "can't <what> <path>"
 */
export function fileFailure(error: unknown, host: string, what: string, path: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const options = { cause: error };
  if (hasErrorCode(error, 'ENOSPC', 'EDQUOT')) {
    return new SalvorError('NoSpace', `${host}: no room left to ${what} ${path}; make room and retry`, options);
  }
  const hint = hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS')
    ? '; Salvor runs as a user without the permission'
    : hasErrorCode(error, 'EXDEV')
      ? '; the two are on different file systems'
      : '';
  return new SalvorError('CommandFailed', `${host}: can't ${what} ${path}: ${messageOf(error)}${hint}`, options);
}
