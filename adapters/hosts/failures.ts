/** Turns the file system's errors into the failures that Salvor reports. */
import { messageOf, SalvorError } from '../../domain/errors.ts';
import { hasErrorCode } from '../system-errors.ts';

/**
 * @param what the action, as in "can't <what> <path>"
 */
export function fileFailure(error: unknown, host: string, what: string, path: string): SalvorError {
  if (error instanceof SalvorError) return error;
  const options = { cause: error };
  if (hasErrorCode(error, 'ENOSPC', 'EDQUOT')) {
    return noSpace(host, what, path, options);
  }
  const hint = hasErrorCode(error, 'EACCES', 'EPERM', 'EROFS')
    ? NO_PERMISSION
    : hasErrorCode(error, 'EXDEV')
      ? '; the two are on different file systems'
      : '';
  return new SalvorError('CommandFailed', `${host}: can't ${what} ${path}: ${messageOf(error)}${hint}`, options);
}

/** Whether a program of coreutils, run in English, reports that nothing exists at a path. */
export function isAbsent(stderr: string): boolean {
  return /: (?:No such file or directory|Not a directory)$/m.test(stderr);
}

/**
 * Makes a failure from the output of a program of coreutils, run in English.
 * @param what the action, as in "can't <what> <path>"
 */
export function farFailure(stderr: string, host: string, what: string, path: string): SalvorError {
  if (/No space left on device|Disk quota exceeded/.test(stderr)) return noSpace(host, what, path);
  const hint = /Permission denied|Operation not permitted|Read-only file system/.test(stderr) ? NO_PERMISSION : '';
  const text = stderr.trim() || 'it gave no reason';
  return new SalvorError('CommandFailed', `${host}: can't ${what} ${path}: ${text}${hint}`);
}

const NO_PERMISSION = "; Salvor's user lacks the permission: grant it, or use another user";

function noSpace(host: string, what: string, path: string, options?: ErrorOptions): SalvorError {
  return new SalvorError('NoSpace', `${host}: no space left to ${what} ${path}; make room and retry`, options);
}
