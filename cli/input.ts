/** Checks the input before anything is started; the workflow checks it again. */
import { isBackup, isDrillWish, isName } from '../domain/input.ts';
import { BACKUP_OVERRIDES, type BackupOverride } from '../domain/backups/settled.ts';
import { UsageError } from './output.ts';

export function requireName(what: string, value: string): string {
  return require(what, value, isName(value));
}

export function requireBackup(value: string): string {
  return require('backup', value, isBackup(value));
}

export function requireDrillWish(value: string): string {
  return require('backup', value, isDrillWish(value));
}

export function requireOverride(value: string): BackupOverride {
  const known = BACKUP_OVERRIDES.find((name) => name === value);
  if (known !== undefined) return known;
  throw new UsageError(`"override": expected one of: ${BACKUP_OVERRIDES.join(', ')}; got ${JSON.stringify(value)}`);
}

function require(what: string, value: string, problem: string | undefined): string {
  if (problem === undefined) return value;
  throw new UsageError(`"${what}": ${problem}; got ${JSON.stringify(value)}`);
}
