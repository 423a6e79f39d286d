/** Checks what was typed before anything is started; the workflow checks it again. */
import { isBackup, isName } from '../../domain/input.ts';
import { UsageError } from './output.ts';

export function requireName(what: string, value: string): string {
  return require(what, value, isName(value));
}

export function requireBackup(value: string): string {
  return require('backup', value, isBackup(value));
}

function require(what: string, value: string, problem: string | undefined): string {
  if (problem === undefined) return value;
  throw new UsageError(`"${what}": ${problem}; got ${JSON.stringify(value)}`);
}
